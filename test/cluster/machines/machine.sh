# shellcheck shell=bash
# A machine is a set of Linux namespaces that looks like a host of its own from inside: host name, processes, IPC, /tmp,
# /run and network. When its first process is killed, the kernel kills all that runs on it, as a power failure would.
#
# Every process here is started to die with the shell of `cluster`, so that a killed one leaves nothing behind.

declare -A launched=()   # name of a machine or daemon -> the process that we started for it

# spawn NAME COMMAND...: not from a subshell, whose end it would not survive.
spawn() {
  local name=$1
  shift
  setpriv --pdeathsig KILL "$@" </dev/null >>"$dir/log/$name.out" 2>&1 &
  launched[$name]=$!
  disown
}

# await SECONDS WHAT COMMAND...: until the command succeeds.
await() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    ((SECONDS < deadline)) || fail "$what: not in time; see $dir/log (TASKMUSTER_CLUSTER_KEEP=1 keeps it)"
    sleep 0.02
  done
}

# Lies where all machines are; its processes are this machine's own, so that a test can see and signal them.
boot_login() {
  local spaces=(--mount --uts)
  [[ $network == shared ]] || spaces+=(--net)
  spawn login unshare "${spaces[@]}" "$here/first-process" login "$dir"
  echo "${launched[login]}" >"$dir/run/login.pid"
  await 10 "login" test -e "$dir/run/login.ready"
  [[ $network == shared ]] || lay_network
}

boot() {
  local name=$1 spaces=(--uts --ipc --pid --fork --kill-child --mount --mount-proc)
  [[ $network == shared ]] || spaces+=(--net)
  rm -f "$dir/run/$name.ready"
  spawn "$name" unshare "${spaces[@]}" "$here/first-process" "$name" "$dir" "${shared[@]}"
  await 10 "$name" test -e "$dir/run/$name.ready"
  pgrep -P "${launched[$name]}" >"$dir/run/$name.pid"
  [[ $network == shared ]] || connect "$name"
}

is_machine() { [[ " ${names[*]} " == *" $1 "* ]]; }
inside() { "$here/inside" "$dir" "$@"; }

switch_on() {
  boot "$1"
  case $1 in
    node*) inside "$1" slurmd -f "$dir/etc/slurm.conf" ;;
    worker*) inside "$1" /usr/sbin/sshd -f "$dir/etc/sshd_config" -E "$dir/log/$1.log" -o "ListenAddress=$(address_of "$1")" ;;
  esac </dev/null >>"$dir/log/$1.out" 2>&1
}

await_service() {
  case $1 in
    node*) await 30 "slurmd of $1" node_is_up "$1" ;;
    worker*) await 10 "sshd of $1" accepts "$1" ;;
  esac
}

gone() { [[ ! -e /proc/$1 ]]; }

# end_launched NAME: only if it is still the process that we started, and not another one of its number.
end_launched() {
  local process=${launched[$1]}
  unset "launched[$1]"
  ! grep -qsx "PPid:[[:space:]]*$$" "/proc/$process/status" || kill -KILL "$process" 2>/dev/null || gone "$process"
}

switch_off() {
  local first
  first=$(<"$dir/run/$1.pid")
  end_launched "$1"
  await 10 "end of $1" gone "$first"
  rm "$dir/run/$1.pid"
}

# processes_of NAME: as this machine numbers them. What runs on a machine is what has its mounts.
processes_of() {
  local space process
  space=$(readlink "/proc/$(<"$dir/run/$1.pid")/ns/mnt") || return 0
  [[ $space != "$(readlink /proc/self/ns/mnt)" ]] || fail "$1 has no namespace of its own"
  for process in /proc/[0-9]*; do
    [[ $(readlink "$process/ns/mnt") != "$space" ]] || echo "${process#/proc/}"
  done 2>/dev/null
}

# Twice, as one process may start another while we look.
signal_all() {
  local process
  for _ in 1 2; do
    for process in $(processes_of "$2"); do kill -s "$1" "$process" 2>/dev/null || gone "$process"; done
  done
}

switch_all_off() {
  local name process
  # Clients on login first: without their cluster they would wait for answers.
  if [[ -e $dir/run/login.pid ]]; then
    for process in $(processes_of login); do kill -KILL "$process" 2>/dev/null || gone "$process"; done
  fi
  for name in "${!launched[@]}"; do end_launched "$name"; done
  for name in "$dir"/run/*.pid; do
    [[ ! -e $name ]] || await 10 "end of $name" gone "$(<"$name")"
  done
}

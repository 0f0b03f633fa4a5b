# shellcheck shell=bash
# sshd on the workers, and what their clients need: laid over /etc/ssh/ssh_config on every machine, so plain `ssh worker1` works.

configure_ssh() {
  local etc=$dir/etc port=22 pam=no name known
  [[ $network == own ]] || port=$(free_ports 1)
  for name in host_key user_key; do ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$etc/$name"; done
  # What the user's own shells do at their start (take locks, wait) is not for tests to meet.
  mkdir -p "$dir/home"
  # Without PAM sshd turns an account away whose password is locked.
  [[ $(getent shadow root) != root:!* ]] || pam=yes
  cat >"$etc/sshd_config" <<END
Port $port
HostKey $etc/host_key
PidFile none
AuthorizedKeysFile $etc/user_key.pub
AuthenticationMethods publickey
PermitRootLogin prohibit-password
StrictModes no
UsePAM $pam
UseDNS no
PrintMotd no
PrintLastLog no
SetEnv HOME=$dir/home
END
  cat >"$etc/ssh_config" <<END
Host stranger
    HostKeyAlias stranger
Host *
    Port $port
    User root
    IdentityFile $etc/user_key
    IdentitiesOnly yes
    UserKnownHostsFile $etc/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
END
  ssh-keygen -q -t ed25519 -N '' -f "$etc/other_key"
  {
    for name in worker{1..4}; do
      known=$name
      [[ $port == 22 ]] || known="[$name]:$port"
      echo "$known $(<"$etc/host_key.pub")"
    done
    echo "stranger $(<"$etc/other_key.pub")"
  } >"$etc/known_hosts"
}

# In bash itself, as there may be no tool for it: does sshd answer?
accepts() {
  local port
  port=$(sed -n 's/^Port //p' "$dir/etc/sshd_config")
  # shellcheck disable=SC2016
  inside login bash -c ': <"/dev/tcp/$0/$1"' "$(address_of "$1")" "$port" 2>/dev/null
}

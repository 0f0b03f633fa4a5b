# shellcheck shell=bash
# The network: a bridge that lies in the namespace of login, and a cable to each machine whose outer end has the
# machine's name. Nothing of it is in this machine's own namespace, so several clusters do not meet, and
# all of it goes when the machines go. With --shared-network all use this machine's, each with a loopback address of its own.

address_of() {
  local number=${1//[!0-9]/}
  case $network:$1 in
    own:login) echo 10.77.0.254 ;;
    own:node*) echo "10.77.0.$((10#$number))" ;;
    own:*) echo "10.77.0.$((10 + number))" ;;
    shared:login) echo 127.0.0.1 ;;
    shared:node*) echo "127.0.2.$((10#$number))" ;;
    shared:*) echo "127.0.3.$number" ;;
  esac
}

write_hosts() {
  local name
  {
    echo "127.0.0.1 localhost"
    for name in login "${names[@]}"; do echo "$(address_of "$name") $name"; done
    [[ ! $ssh ]] || echo "$(address_of worker4) stranger"
  } >"$dir/etc/hosts"
}

# net NAME COMMAND...: in the network of a machine, and else here.
net() {
  local first
  first=$(<"$dir/run/$1.pid")
  shift
  nsenter --target "$first" --net "$@"
}

lay_network() {
  net login ip link set lo up
  net login ip link add br0 type bridge
  net login ip address add "$(address_of login)/24" dev br0
  net login ip link set br0 up
}

connect() {
  local number
  number=$(address_of "$1")
  number=${number##*.}
  # After a power failure the kernel takes the old cable away in its own time.
  await 10 "the old cable of $1" cable_is_gone "$1"
  net login ip link add "$1" type veth peer name eth0 netns "$(<"$dir/run/$1.pid")"
  # The same card as before it was off: the others remember it for a while.
  net "$1" ip link set eth0 address "$(printf '02:00:00:00:00:%02x' "$number")"
  net login ip link set "$1" master br0 up
  net "$1" ip link set lo up
  net "$1" ip address add "$(address_of "$1")/24" dev eth0
  net "$1" ip link set eth0 up
}

cable_is_gone() {
  ! net login ip link delete "$1" 2>/dev/null && ! net login ip link show "$1" >/dev/null 2>&1
}

pull_cable() { [[ $network == shared ]] || net login ip link set "$1" down; }
plug_in() { [[ $network == shared ]] || net login ip link set "$1" up; }

# listens PORT: does anything on login?
listens() { [[ $(inside login ss -Hltn "sport = :$1") ]]; }

# free_ports COUNT: the first of so many in a row that nobody uses, below those the kernel deals out itself.
free_ports() {
  local first
  if [[ $network == own ]]; then echo 6800; return; fi
  while first=$((20000 + RANDOM % 12000)) && [[ $(ss -Htan "sport >= :$first and sport < :$((first + $1))") ]]; do :; done
  echo "$first"
}

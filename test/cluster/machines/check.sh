# shellcheck shell=bash
# what_is_missing: prints a line for each thing that this machine lacks, with the way to get it; fails if there is one.

what_is_missing() {
  local lacks=0
  lack() { echo "$1: $2"; lacks=1; }
  want() { command -v "$1" >/dev/null || lack "$1 is missing" "apt-get install $2"; }

  want unshare util-linux
  want nsenter util-linux
  want setpriv util-linux
  want hostname hostname
  want ss iproute2
  want ip iproute2
  want pgrep procps
  if [[ $slurm ]]; then
    want munged munge
    want slurmctld slurm-wlm
    want slurmd slurm-wlm
    want srun slurm-wlm
  fi
  if [[ $ssh ]]; then
    want sshd openssh-server
    want ssh openssh-client
  fi
  if ((EUID != 0)); then
    lack "not root" "machines are made of namespaces and mounts, which only root may do: sudo -E npm run test:cluster"
  elif ((lacks == 0)); then
    unshare --uts --ipc --pid --fork --mount --mount-proc true 2>/dev/null ||
      lack "no namespaces" "this container forbids them: run it with --privileged"
    [[ $network == shared ]] || unshare --net sh -c 'ip link add br0 type bridge && ip link add tm0 type veth peer name tm1' 2>/dev/null ||
      lack "no network namespaces" "this kernel or container has none: TASKMUSTER_CLUSTER_NETWORK=shared does without, and leaves out what cuts links"
  fi
  return "$lacks"
}

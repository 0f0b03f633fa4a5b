# shellcheck shell=bash
# Slurm: munged and slurmctld on login, a slurmd on each node. Time-outs are of seconds, CPUs and memory mere bookkeeping.
# A job in partition "urgent" evicts (requeues) jobs in "main" when there is no room for it.

configure_slurm() {
  local etc=$dir/etc port node gpus number=0
  port=$(free_ports 6)
  mkdir "$dir"/{state,spool,gpu}
  # Slurm insists on devices: two more of /dev/null.
  for number in 0 1; do mknod "$dir/gpu/gpu$number" c 1 3; done
  dd if=/dev/urandom of="$etc/munge.key" bs=128 count=1 status=none
  chmod 600 "$etc/munge.key"
  cat >"$etc/slurm.conf" <<END
ClusterName=test
SlurmctldHost=login($(address_of login))
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# The expiry is also how long a requeued job waits before it may start again.
AuthInfo=socket=$dir/run/munge.socket,cred_expire=5
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
SlurmctldPidFile=$dir/state/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/%n.log
LogTimeFormat=iso8601_ms
MailProg=/bin/true
MpiDefault=none

# No cgroups, and no record of ended jobs beyond what slurmctld remembers.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MinJobAge=600

# What is handed out is what is configured, not what is found.
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
DefMemPerCPU=500

# A node that does not answer is down after 10 to 15 s.
SlurmdTimeout=8
SlurmctldTimeout=8
MessageTimeout=5
KillWait=2
ReturnToService=2
JobRequeue=1
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=0,permit_job_expansion
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE

PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
END
  for node in node0{1..4}; do
    number=$((10#${node#node}))
    gpus=
    ((number > 2)) || gpus=Gres=gpu:2
    mkdir "$dir/spool/$node"
    echo "NodeName=$node NodeAddr=$(address_of "$node") Port=$((port + number)) CPUs=4 Sockets=1 CoresPerSocket=4" \
      "ThreadsPerCore=1 RealMemory=2000 $gpus" >>"$etc/slurm.conf"
  done
  echo "NodeName=node0[1-2] Name=gpu File=$dir/gpu/gpu[0-1] Flags=nvidia_gpu_env" >"$etc/gres.conf"
}

start_controller() {
  configure_slurm
  # One munged serves all: the machines share its socket.
  spawn munged munged --foreground --force --key-file="$dir/etc/munge.key" --socket="$dir/run/munge.socket" \
    --pid-file="$dir/state/munged.pid" --seed-file="$dir/etc/munge.seed" --log-file="$dir/log/munged.log"
  await 10 "munged" test -S "$dir/run/munge.socket"
  spawn slurmctld "$here/inside" "$dir" login slurmctld -D -f "$dir/etc/slurm.conf"
  await 20 "slurmctld" listens "$(sed -n 's/^SlurmctldPort=//p' "$dir/etc/slurm.conf")"
}

# Slurm says so itself, without the * of "does not answer".
node_is_up() { [[ $(inside login sinfo -h -N -p main -n "$1" -o %t) =~ ^(idle|mix|alloc|comp)$ ]]; }

# Kills the trees of an engine's tasks when the engine is gone (end of input) or has been silent past its deadline.
# Reads lines: "M TEXT" the text by which a task's processes are found in their environment, "+PID" and "-PID" a task's shell
# (the leader of its session) started and ended, "D N" the deadline is N hundredths of a second from now,
# "R PATH" what to remove at the end.
# Works with bash 3.2. Where there is /proc it forks nothing and writes no file (as << would): it must do its work on a node that is out of
# processes, descriptors or disk.
# A scheduler that ends a job, or warns of its end, signals every process in it.
trap '' HUP INT QUIT TERM PIPE TSTP TTIN TTOU USR1 USR2 ALRM VTALRM PROF XCPU XFSZ

mark=
scratch=
shells=' '
deadline=
rows=()
# One that never has anything to read: to wait without sleep(1).
{ exec 8<> <(:); } 2>/dev/null

# Sets $now, in hundredths; monotonic where there is /proc.
look_at_clock() {
  local up rest
  if { read -r up rest </proc/uptime; } 2>/dev/null; then
    now=$((10#${up/./}))
  else
    now=$((SECONDS * 100))
  fi
}

# Sets $rows to all live processes: pid parent group session each. None: they could not be seen.
processes() {
  local file pid stat
  rows=()
  if [ -r /proc/self/stat ]; then
    for file in /proc/[0-9]*/stat; do
      { IFS= read -r -d '' stat <"$file"; } 2>/dev/null
      [ -n "$stat" ] || continue
      pid=${file#/proc/}
      # The name in parentheses may hold anything, so count from the last one.
      set -- ${stat##*) }
      stat=
      # A zombie is dead unless only its first thread has ended.
      case $1 in
        X | x) continue ;;
        Z) [ "${18}" -gt 1 ] || continue ;;
      esac
      rows[${#rows[@]}]="${pid%/stat} $2 $3 $4"
    done
  else
    while read -r pid stat; do
      set -- $stat
      case $4 in Z*) continue ;; esac
      case $3 in *[!0-9]*) set -- "$1" "$2" 0 ;; esac
      rows[${#rows[@]}]="$pid $1 $2 $3"
    done < <(ps -A -o pid= -o ppid= -o pgid= -o sess= -o stat=)
  fi
}

# Whether process $1 carries the mark.
is_marked() {
  local variable
  [ ${#mark} -ge 16 ] && [ -r "/proc/$1/environ" ] || return 1
  while IFS= read -r -d '' variable; do
    case $variable in *"$mark"*) return 0 ;; esac
  done 2>/dev/null <"/proc/$1/environ"
  return 1
}

pause() {
  if [ "${BASH_VERSINFO[0]}" -ge 4 ] && [ -e /proc/self/fd/8 ]; then
    read -r -t 0.05 -u 8 line
  else
    sleep 0.05 2>/dev/null || sleep 1
  fi
}

has() {
  case $1 in *" $2 "*) return 0 ;; esac
  return 1
}

# Sets $members to the processes of all trees and $targets to what to kill: groups, which reaches children being forked this instant
# too. Adds their sessions and groups to $shells: a child that they leave behind is found by these.
find_members() {
  local more=yes row looked=' ' pid parent group session
  processes
  members=' '
  targets=' '
  while [ -n "$more" ]; do
    more=
    for row in "${rows[@]}"; do
      set -- $row
      pid=$1 parent=$2 group=$3 session=$4
      [ "${pid:-0}" -gt 1 ] 2>/dev/null || continue
      if [ "$pid" = $$ ] || has "$members" "$pid"; then continue; fi
      if ! has "$shells" "$pid" && ! has "$shells" "$session" && ! has "$shells" "$group" && ! has "$members" "$parent"; then
        # Its environment is looked at once.
        if has "$looked" "$pid"; then continue; fi
        looked="$looked$pid "
        is_marked "$pid" || continue
      fi
      members="$members$pid "
      if [ "$group" -gt 1 ] && [ "$group" != $$ ]; then targets="$targets-$group "; else targets="$targets$pid "; fi
      [ "$group" -le 1 ] || has "$shells" "$group" || shells="$shells$group "
      [ "$session" -le 1 ] || has "$shells" "$session" || shells="$shells$session "
      more=yes
    done
  done
}

kill_trees() {
  local empty=0 tries=0 members targets shell
  # Twice, as one look may miss a child that was born while we looked. After some ten seconds what is left hangs in the
  # kernel and will never run again.
  while [ $empty -lt 2 ] && [ $tries -lt 200 ]; do
    find_members
    if [ ${#rows[@]} -eq 0 ]; then
      # Nothing can be seen. The shells' sessions at least are known, and what is left may be seen in a moment.
      for shell in $shells; do kill -KILL -- "-$shell" 2>/dev/null; done
      pause
    elif [ "$members" = ' ' ]; then
      empty=$((empty + 1))
    else
      empty=0
      kill -KILL -- $targets 2>/dev/null
      [ $tries -lt 5 ] || pause
    fi
    tries=$((tries + 1))
  done
  shells=' '
}

while :; do
  line=
  if [ -n "$deadline" ]; then
    look_at_clock
    left=$((deadline - now))
    if [ $left -le 0 ]; then
      deadline=
      kill_trees
      continue
    fi
    if [ "${BASH_VERSINFO[0]}" -ge 4 ]; then
      printf -v wait '%d.%02d' $((left / 100)) $((left % 100))
    else
      wait=1
    fi
    read -r -t "$wait" line
    status=$?
    [ $status -le 128 ] || continue
  else
    read -r line
    status=$?
  fi
  [ $status -eq 0 ] || break
  case $line in
    +*) shells="$shells${line#+} " ;;
    -*) shells=${shells/ ${line#-} / } ;;
    D*)
      look_at_clock
      deadline=$((now + ${line#D }))
      ;;
    M*) mark=${line#M } ;;
    R*) scratch=${line#R } ;;
  esac
done
kill_trees
[ -z "$scratch" ] || rm -rf -- "$scratch"

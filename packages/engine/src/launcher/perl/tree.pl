# Which processes belong to a task. All that a task starts stays below us in the tree of processes where orphans
# are given to us (Linux), in the task's session unless it makes one, and carries the task's mark unless it drops it.
use strict;

my %by_session;     # session or process group found in a tree that is being stopped => the task
my $last_scan_seconds = 0;

sub remember_session { my ($session, $task) = @_; $by_session{$session} = $task }
# A new process has this number: whatever session had it is gone.
sub forget_session { delete $by_session{ $_[0] } if %by_session }
sub forget_sessions_of { my ($task) = @_; delete @by_session{ grep { $by_session{$_} == $task } keys %by_session } }

# Tasks may have taken every descriptor that we can have, and still we must see whom to kill.
my @spare;
my $SPARE_DESCRIPTORS = 4;
sub spare_descriptors {
    while (@spare < $SPARE_DESCRIPTORS) {
        open(my $null, '<', '/dev/null') or return;
        push @spare, $null;
    }
}
my $blind = 0;      # the last look at all processes showed none: it failed

# Live processes: pid => [parent, group, session]. A zombie is dead, unless only its first thread has ended.
sub processes {
    opendir(my $proc, '/proc') or return processes_by_ps();
    my %found;
    for my $pid (grep { /^\d/ } readdir $proc) {
        open(my $stat, '<', "/proc/$pid/stat") or next;
        sysread($stat, my $line, 1024) or next;
        # The name in parentheses may hold anything, so count from the last one.
        my ($state, $parent, $group, $session, @rest) = split ' ', substr($line, rindex($line, ')') + 1);
        next if $state =~ /[Xx]/ || $state eq 'Z' && $rest[13] <= 1;
        $found{$pid} = [$parent, $group, $session];
    }
    return %found ? \%found : processes_by_ps();
}

sub processes_by_ps {
    my %found;
    my $ps = open(my $rows, '-|', 'ps', '-A', '-o', 'pid=,ppid=,pgid=,sess=,stat=') or return \%found;
    while (<$rows>) {
        my ($pid, $parent, $group, $session, $state) = split ' ';
        # Some systems print an address, or 0, as the session; then the group has to do.
        $session = 0 unless $session =~ /^\d+$/;
        $found{$pid} = [$parent, $group, $session] unless $state =~ /^Z/ || $pid == $ps;
    }
    close $rows;
    return \%found;
}

sub environment_of {
    my ($pid) = @_;
    open(my $file, '<', "/proc/$pid/environ") or return '';
    local $/;
    my $text = <$file>;
    return defined $text ? $text : '';
}

# One look at all processes for several tasks: serial => [[pid, group, session]...]. With $strays, an orphan that
# cannot be attributed (its own session, a cleared environment) goes to that one. Second value: false when a parent
# vanished while we looked, so that what hung on it may have been missed.
sub members {
    my ($tasks, $strays) = @_;
    my $began = monotonic_time();
    @spare = ();
    my $live = processes();
    $blind = !%$live;
    my $us = $$;
    my $own = getpgrp(0);   # and our session: we lead both
    my (%children, $gaps);
    for my $pid (keys %$live) {
        my $parent = $live->{$pid}[0];
        push @{ $children{$parent} }, $pid;
        $gaps = 1 unless $parent <= 1 || $live->{$parent};
    }
    my %wanted = map { ($_->[SERIAL] => []) } @$tasks;
    my %task_of_serial = map { ($_->[SERIAL] => $_) } @$tasks;

    # From the top down, so that a process is met after its parent. Orphans are ours where the kernel gives them to
    # us; elsewhere anybody may be one.
    my @tops = $adopts_orphans ? @{ $children{$us} || [] }
        : grep { $_ != $us && ($live->{$_}[0] == $us || !$live->{ $live->{$_}[0] }) } keys %$live;
    my @front = map { [$_, undef] } @tops;
    my %seen = ($us => 1);
    $seen{$spawner_pid} = 1 if $spawner_pid;
    while (@front) {
        my ($pid, $task) = @{ shift @front };
        next if $seen{$pid}++;
        # Everybody descends from 1: it is nobody's, whatever it looks like.
        if ($pid <= 1) {
            push @front, map { [$_, undef] } @{ $children{$pid} || [] };
            next;
        }
        my ($parent, $group, $session) = @{ $live->{$pid} };
        $task ||= $by_pid{$pid} || $by_session{$session} || $by_pid{$session} || $by_session{$group} || $by_pid{$group};
        if (!$task && length $nonce >= 16 && ($parent == $us || !$adopts_orphans)) {
            # One that carries the mark of a task that has ended was left behind by it, and is left alone.
            my ($serial) = environment_of($pid) =~ /\b\Q$nonce\E\.(\d+);/;
            $task = defined $serial ? $task_of_serial{$serial} || [-1, -1] : $adopts_orphans ? $strays : undef;
        }
        if ($task && $wanted{ $task->[SERIAL] }) {
            push @{ $wanted{ $task->[SERIAL] } }, [$pid, $group, $session];
            # A child that it leaves behind is found by these even when nothing else tells.
            for my $number ($session, $group) {
                remember_session($number, $task) unless $number <= 1 || $number == $own || $by_pid{$number};
            }
        }
        push @front, map { [$_, $task] } @{ $children{$pid} || [] };
    }
    spare_descriptors();
    $last_scan_seconds = monotonic_time() - $began;
    return (\%wanted, !$gaps);
}

# A signal to a process group reaches children being forked this instant too. A group lies within one session, and a
# session of a tree is the tree's alone; only a child of ours that has not made its session yet is in our own group.
sub signal_members {
    my ($signal, $members) = @_;
    my $own = getpgrp(0);
    my %groups;
    for (@$members) {
        my ($pid, $group) = @$_;
        next if $pid <= 1;
        $group > 1 && $group != $own ? $groups{$group} = 1 : kill($signal, $pid);
    }
    kill($signal, -$_) for keys %groups;
}

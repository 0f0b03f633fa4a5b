# Stopping: TERM to the whole tree, a grace, then KILL until none is left. The fence and the engine's end are the same
# ladder for every tree at once, without the grace.
use strict;

# A process that does not die of KILL hangs in the kernel (a dead file server, say) and will never run again. After
# this long the tree counts as dead.
my $GIVE_UP_SECONDS = 10;
my ($FIRST_LOOK_SECONDS, $LONGEST_LOOK_SECONDS) = (0.001, 0.1);

# serial => task whose STOP is {kill_at, killed_at (of the first KILL), look_at, pause, empty_looks}
my %stopping;
my $strays;                # stands for orphans that nobody claims, while everything is being killed
my $fence_at;              # monotonic; undef: none
my ($fenced, $fence_untold, $ended) = (0, 0, 0);   # $ended: the engine is gone
my $tree_changed = 0;      # a child was reaped since the last look
my $quiet_until = 0;       # so that looking takes at most a third of our time, however many processes the node has

sub stop_tree {
    my ($task, $grace) = @_;
    learn_pid($task) if $unanswered{ $task->[SERIAL] };
    my $kill_at = $now + $grace;
    if (my $stop = $task->[STOP]) {
        $stop->{kill_at} = $kill_at if $kill_at < $stop->{kill_at};
        return;
    }
    $task->[STOP] = { kill_at => $kill_at, look_at => 0, pause => $FIRST_LOOK_SECONDS, empty_looks => 0 };
    $stopping{ $task->[SERIAL] } = $task;
    if ($grace > 0) {
        my ($found) = members([$task]);
        signal_tree($task, 'TERM', $found->{ $task->[SERIAL] });
        signal_members('CONT', $found->{ $task->[SERIAL] });   # a stopped process must run to die of TERM
    }
}

# STOPPED is for a task whose shell was alive then: one that had just ended by itself has a result.
sub signal_tree {
    my ($task, $signal, $members) = @_;
    # Of what cannot be seen the shell at least is known, as nobody has reaped it.
    $members = [[$task->[PID], 0, 0]] if $blind && !defined $task->[STATUS];
    $task->[STOPPED] = 1 if !defined $task->[STATUS] && grep { $_->[0] == $task->[PID] } @$members;
    signal_members($signal, $members);
}

sub stop_by_tag {
    my ($tag, $grace) = @_;
    reap();
    if (my $task = $by_tag{$tag}) { stop_tree($task, $grace) }
    elsif (grep { $_->[0] == $tag } @unforked) {
        my ($waiting) = grep { $_->[0] == $tag } @unforked;
        @unforked = grep { $_->[0] != $tag } @unforked;
        tell_unstarted($tag, $LOST, 0);
        leave_place($waiting->[5]);
    }
}

sub kill_everything {
    recall();
    for (splice @unforked) {
        tell_unstarted($_->[0], $LOST, 0);
        leave_place($_->[5]);
    }
    return unless %running;
    learn_pid($_) for values %unanswered;
    hunt_strays();
    for my $task (values %running) {
        @$task[LOST, STOPPED] = (1, 1) unless defined $task->[STATUS];
        stop_tree($task, 0);
    }
}

# What a cleared environment and its own session hide may be a running task's: better killed than run twice.
sub hunt_strays {
    return if !$adopts_orphans || $strays;
    $strays = [];
    @$strays[SERIAL, PID, STATUS] = (++$last_serial, 0, 0);
    stop_tree($strays, 0);
}

sub set_fence {
    my ($at) = @_;
    $fence_at = $at;
    $fenced = 0 if $at > $now;
}

sub check_fence {
    if (defined $fence_at && !$fenced && $fence_at <= $now) {
        ($fenced, $fence_untold) = (1, 1);
        kill_everything();
    }
    if ($fence_untold && !%running && !$strays) {
        $fence_untold = 0;
        tell_fenced();
    }
}

sub advance_stops {
    return if $now < $quiet_until;
    my @due = grep { is_due($_) } values %stopping;
    $tree_changed = 0;
    return unless @due;
    my ($found, $complete) = members(\@due, $strays);
    $quiet_until = $now + 3 * $last_scan_seconds;
    for my $task (@due) {
        my ($members, $stop) = ($found->{ $task->[SERIAL] }, $task->[STOP]);
        if (!@$members && defined $task->[STATUS] && !$blind) {
            # Twice, as one look may miss a child that was born while we looked.
            my $looks = ++$stop->{empty_looks};
            $looks > 1 && ($complete || $looks > 3) ? finish_stop($task) : ($stop->{look_at} = $now);
            next;
        }
        $stop->{empty_looks} = 0;
        if ($stop->{kill_at} <= $now) {
            $stop->{killed_at} ||= $now;
            if ($now - $stop->{killed_at} > $GIVE_UP_SECONDS) {
                warn "gave up on processes that do not die: @{[map { $_->[0] } @$members]}\n";
                finish_stop($task);
                next;
            }
            signal_tree($task, 'KILL', $members);
        }
        # Their ends wake us where they are our children or become so; the look is for all else.
        $stop->{look_at} = $now + $stop->{pause};
        $stop->{pause} *= 2 if $stop->{pause} < $LONGEST_LOOK_SECONDS;
    }
}

# Before the first KILL there is nothing to see unless the shell has ended: then whatever is left has the rest of the grace.
sub is_due {
    my ($task) = @_;
    my $stop = $task->[STOP];
    return 1 if !$stop->{killed_at} && $stop->{kill_at} <= $now;
    return ($stop->{killed_at} || defined $task->[STATUS]) && ($tree_changed || $stop->{look_at} <= $now);
}

sub finish_stop {
    my ($task) = @_;
    delete $stopping{ $task->[SERIAL] };
    forget_sessions_of($task);
    if ($strays && $task == $strays) { undef $strays }
    else {
        delete $by_pid{ $task->[PID] };
        leave_place($task->[PLACE]);
        report($task);
    }
}

# When the next of our own doings is due; undef: never.
sub next_deadline {
    my $first = @young ? $young[0][BEGAN] + $YOUNG_SECONDS : undef;
    $first = $held_until if defined $held_until && (!defined $first || $held_until < $first);
    $first = $next_time_up if defined $next_time_up && (!defined $first || $next_time_up < $first);
    return $first unless defined $fence_at || %stopping || @unforked;
    for my $at (defined $fence_at && !$fenced ? $fence_at : (), %stopping ? stop_deadlines() : (), map { $_->[6] } @unforked) {
        $first = $at if !defined $first || $at < $first;
    }
    return $first;
}

sub stop_deadlines {
    my @times;
    for my $task (values %stopping) {
        my $stop = $task->[STOP];
        push @times, $stop->{kill_at} unless $stop->{killed_at};
        push @times, $stop->{look_at} if $stop->{killed_at} || defined $task->[STATUS];
    }
    return map { $_ < $quiet_until ? $quiet_until : $_ } @times;
}

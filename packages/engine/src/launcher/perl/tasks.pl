# One task from its launch to its report. What each task does once for all stands here, in few steps over plain arrays: a page
# of ours that is written between two forks is copied by the kernel, which costs more than anything that we compute.
use strict;

# Fields of a task.
sub TAG() { 0 }
sub SERIAL() { 1 }      # of this launcher, never used again
sub PID() { 2 }         # 0: the spawner has not told it yet
sub START() { 3 }       # real time
sub BEGAN() { 4 }       # monotonic
sub STATUS() { 5 }      # of waitpid; undef while the shell lives
sub REQUEST() { 6 }     # arguments of launch, as long as it may have to be launched again
sub ENDED() { 7 }       # monotonic
sub STOP() { 8 }        # its ladder, see ladder.pl; undef: it is not being stopped
sub STOPPED() { 9 }     # its shell was signalled by us
sub LOST() { 10 }       # its end is not to be told as a result
sub PLACE() { 11 }      # the slot that it has; undef: none
sub OUT() { 12 }        # two streams of these fields:
sub ERR() { 17 }
sub TIMED_OUT() { 22 }  # it is being stopped because its time was up
sub FD() { 0 }          # -1: closed
sub SLOT() { 1 }        # in the poll set; undef: not watched
sub BYTES() { 2 }
sub HEAD() { 3 }
sub TAIL() { 4 }

my $HEAD_BYTES = 40;
my $TAIL_BYTES = 400;   # of both streams; what the engine wants of it depends on how the task ended

# A young task's pipes are not watched and its pid is not told: most young tasks end before they fill a pipe, and each
# needless wake-up costs. Whoever fills a pipe at once waits for us this long, once.
my $YOUNG_SECONDS = 0.01;

# Too many processes or too little memory is the node's state, not the task's fault: try again for a moment. When that does not help
# the engine is told, who starts it later or lets others do so, and less here.
my @FORK_RETRY_SECONDS = (0.05, 0.1, 0.2, 0.4);

my ($EXITED, $SIGNALLED, $LOST, $EXEC_FAILED, $FORK_FAILED, $TIMED_OUT) = (0 .. 5);   # kinds of end on the wire

my %running;            # serial => task, forked and not yet reported
my %by_pid;             # pid of a task's shell, not yet reaped => task
my %by_tag;
my @places;             # by slot: [flags, mask of CPUs, environment], the latter two as in a launch
my @free_places;        # the lowest last
my @queue;              # launches that wait for a slot
my @young;              # tasks in the order of their start
my (@task_of_slot, @stream_of_slot);
my %unanswered;         # serial => task that the spawner has not told the pid of
my %ended_early;        # pid => [status, monotonic time] of a child that may be one of those
my $answers_slot;
my $answer_is_late = 0; # a task is no longer young, and unanswered
my %limit;              # tag => [seconds, grace] of tasks that may only run for so long, until their end is told
my %time_up;            # serial => [task, when (monotonic), grace] of those that run, see timeouts.pl
my @unforked;           # launches to try again: [arguments of launch, when]; they have their slots
my $to_send = '';       # frames for the engine
my $held_until;         # when they must go at the latest; undef: none is held back
my $last_serial = 0;
my $now = 0;            # monotonic, of the last wake-up
my $real_offset = 0;    # real time less monotonic time, read anew every second
my $offset_at = -1;
my $READ_BYTES = 65536;
my $buffer = "\0" x $READ_BYTES;
our ($error_reader, $error_writer);   # a child whose exec failed writes its serial and errno here
my %exec_error;
my $MARK = 'TASKMUSTER_TASK';
my $nonce = '';         # unguessable, of this launcher alone
my $inherited_mark = '';

sub look_at_clocks {
    $now = monotonic_time();
    return if $now < $offset_at + 1;
    ($real_offset, $offset_at) = (real_time() - $now, $now);
}

sub open_task_channels {
    $error_reader or pipe($error_reader, $error_writer) or die "pipe: $!\n";
    set_nonblocking($error_reader);
    set_nonblocking($answers) if $answers;
    $answers_slot = poll_slot(-1, 1);
    spare_descriptors();
}

# --- slots
sub set_places {
    my @contents = unpack('(C N/a N/a)*', $_[0]);
    while (my @place = splice @contents, 0, 3) { push @places, \@place }
    @free_places = reverse 0 .. $#places;
}

sub enqueue {
    push @queue, [@_];
    start_in(pop @free_places) if @free_places;
}

# The next one that waits, in this slot, which is free.
sub start_in {
    my ($place) = @_;
    while (my $next = shift @queue) {
        my ($tag, $flags, $environment, $command) = @$next;
        my ($more_flags, $mask, $more) = @{ $places[$place] };
        return if launch($tag, $flags | $more_flags, $mask . $environment . $more, $command, 0, $place);
    }
    give_back($place);
}

sub give_back {
    my ($place) = @_;
    my $at = @free_places;
    $at-- while $at > 0 && $free_places[$at - 1] < $place;
    splice @free_places, $at, 0, $place;
}

# A task has ended, or could not be started.
sub leave_place {
    my ($place) = @_;
    return unless defined $place;
    @queue ? start_in($place) : give_back($place);
}

sub recall { tell_recalled(map { $_->[0] } splice @queue) if @queue }

# True: it has begun, or will be tried again.
sub launch {
    my ($tag, $flags, $environment, $command, $tries, $place) = @_;
    my ($out, $out_writer) = make_pipe();
    my ($err, $err_writer) = make_pipe();
    my $serial = ++$last_serial;
    my $began = monotonic_time();
    my $task = [$tag, $serial, 0, $began + $real_offset, $began, undef, undef, 0, undef, 0, 0, $place,
        $out, undef, 0, '', '', $err, undef, 0, '', ''];
    my $marked = $environment . pack('N/a*', "$MARK=$inherited_mark$nonce.$serial;");
    my $pid;
    if (!defined $err_writer) { }
    elsif (ask_spawner(pack('NCN/a*a*', $serial, $flags, $command, $marked), $out_writer, $err_writer)) {
        $pid = 0;
        $task->[REQUEST] = [$flags, $environment, $command, $tries || 0];
        $unanswered{$serial} = $task;
    } else {
        $pid = fork;
        become_task($serial, $flags, $marked, $command, $out_writer, $err_writer) if defined $pid && $pid == 0;
    }
    my $errno = $! + 0;
    close_fd($out_writer) if defined $out_writer;
    close_fd($err_writer) if defined $err_writer;
    if (defined $pid) {
        $running{$serial} = $by_tag{$tag} = $task;
        took_pid($task, $pid) if $pid;
        push @young, $task;
        begin_limit($task) if %limit;
        return 1;
    }
    close_fd($_) for grep { defined } $out, $err;
    return retry_launch($tag, $flags, $environment, $command, $tries || 0, $place, $errno);
}

# In the child; never returns.
sub become_task {
    my ($serial, $flags, $environment, $command, $out, $err) = @_;
    prepare_child($out, $err);
    my @added = unpack('(N/a)*', $environment);
    pin_to(shift @added) if $flags & 2;
    for (@added) { $ENV{$1} = $2 if /^([^=]*)=(.*)/s }
    unblock_signals();
    exec { '/bin/bash' } '/bin/bash', '-c', $command;
    syswrite($error_writer, pack('NN', $serial, $!));
    exit_at_once(127);
}

sub took_pid {
    my ($task, $pid) = @_;
    forget_session($pid);   # a new process has this number
    $task->[PID] = $pid;
    $by_pid{$pid} = $task;
}

# Reads what the spawner has told; nobody is woken for that unless a child has ended before, or the answer is late. False: there
# was nothing.
sub read_answers {
    my $records;
    sysread($answers, $records, 65536) or return 0;
    my @answers = unpack('(N3)*', $records);
    while (my ($serial, $pid, $errno) = splice @answers, 0, 3) {
        my $task = delete $unanswered{$serial} or next;
        my $request = $task->[REQUEST];
        $task->[REQUEST] = undef;
        if ($pid) {
            took_pid($task, $pid);
            if (my $end = delete $ended_early{$pid}) { shell_ended($pid, @$end) }
        } else {
            close_stream($task, $_) for OUT, ERR;
            forget_task($task);
            my $place = $task->[PLACE];
            retry_launch($task->[TAG], @$request, $place, $errno) or leave_place($place);
        }
    }
    unless (%unanswered) {
        %ended_early = ();
        $answer_is_late = 0;
    }
    watch($answers_slot, %ended_early || $answer_is_late ? fileno $answers : -1, 1);
    return 1;
}

# A spawner that has died, or that we take for dead, may have forked what it did not tell of: that must not run, and
# its task cannot be launched again as nobody knows.
sub give_up_spawner {
    if (($spawner_pid || 0) > 1) { kill('KILL', $spawner_pid); waitpid($spawner_pid, 0) }
    undef $spawner_pid;
    read_answers();
    my @unknown = values %unanswered;
    %unanswered = %ended_early = ();
    $answer_is_late = 0;
    watch($answers_slot, -1, 1);
    hunt_strays() if @unknown;
    for my $task (@unknown) {
        @$task[REQUEST, STATUS, ENDED, LOST] = (undef, 0, $now, 1);
        stop_tree($task, 0);
    }
}

# For who must signal the task: waits for the answer, which is only a moment away.
sub learn_pid {
    my ($task) = @_;
    my $until = monotonic_time() + 1;
    while ($unanswered{ $task->[SERIAL] }) {
        peek_within(fileno $answers, $until - monotonic_time()) && read_answers() or return give_up_spawner();
    }
}

# False: it has been tried often enough.
sub retry_launch {
    my ($tag, $flags, $environment, $command, $tries, $place, $errno) = @_;
    if ($tries > $#FORK_RETRY_SECONDS) {
        tell_unstarted($tag, $FORK_FAILED, $errno);
        return 0;
    }
    push @unforked, [$tag, $flags, $environment, $command, $tries + 1, $place, $now + $FORK_RETRY_SECONDS[$tries]];
    return 1;
}

sub retry_unforked {
    my @due = grep { $_->[6] <= $now } @unforked;
    @unforked = grep { $_->[6] > $now } @unforked;
    for (@due) { launch(@$_[0 .. 5]) or leave_place($_->[5]) }
}

# Takes every child that has ended: a task's shell, or an orphan that was given to us.
sub reap {
    my $any = 0;
    while ((my $pid = waitpid(-1, 1)) > 0) {
        $any = 1;
        my $status = $?;
        read_answers() if %unanswered && !$by_pid{$pid};
        if ($by_pid{$pid}) { shell_ended($pid, $status, $now) }
        elsif ($spawner_pid && $pid == $spawner_pid) { give_up_spawner() }
        elsif (%unanswered) {
            $ended_early{$pid} = [$status, $now];
            watch($answers_slot, fileno $answers, 1);
        }
    }
    return $any;
}

sub shell_ended {
    my ($pid, $status, $ended) = @_;
    my $task = delete $by_pid{$pid};
    # Launched after the wake-up that $ended is of, a task may seem to have ended before it began.
    @$task[STATUS, ENDED] = ($status, $ended > $task->[BEGAN] ? $ended : monotonic_time());
    return remember_session($pid, $task) if $task->[STOP];
    # Its successor first: telling of its end can wait for a moment.
    leave_place($task->[PLACE]);
    report($task);
}

sub forget_task {
    my ($task) = @_;
    delete $running{ $task->[SERIAL] };
    delete $by_tag{ $task->[TAG] };
    delete $time_up{ $task->[SERIAL] } if %time_up;
}

# The end of a task. Without a status (given up, nobody saw its shell end) it is lost.
sub report {
    my ($task) = @_;
    # What a task wrote before its shell ended is in its pipes now. A child left behind may go on writing, so no more than
    # what a pipe can hold is taken, and nothing is waited for.
    my ($out, $err) = @$task[OUT + FD, ERR + FD];
    if ($out >= 0 || $err >= 0) {
        my ($out_ready, $err_ready) = peek($out, $err);
        drain_last($task, OUT) if $out_ready;
        drain_last($task, ERR) if $err_ready;
        close_stream($task, OUT) if $out >= 0;
        close_stream($task, ERR) if $err >= 0;
    }
    my $status = $task->[STATUS];
    my ($kind, $value, $stopped) = ($LOST, 0, $task->[STOPPED]);
    if (defined $status && !$task->[LOST]) {
        ($kind, $value) = $status & 127 ? ($SIGNALLED, $status & 127) : ($EXITED, $status >> 8);
        if ($status == 127 << 8 && defined(my $errno = exec_error_of($task->[SERIAL]))) {
            ($kind, $value) = ($EXEC_FAILED, $errno);
        }
    }
    # One whose shell had just ended by itself has a result.
    if ($task->[TIMED_OUT] && $stopped && !$task->[LOST]) {
        ($kind, $value, $stopped) = ($TIMED_OUT, $kind == $SIGNALLED ? $value : defined $status ? 15 : 9, 0);
    }
    # By one clock: Finish - Start = Elapsed in every row.
    my $elapsed = (defined $status ? $task->[ENDED] : monotonic_time()) - $task->[BEGAN];
    my $start = $task->[START];
    tell_end($task->[TAG], $task->[PID] || -1, $kind, $stopped, $value, $start, $start + $elapsed, $elapsed,
        @$task[OUT + BYTES, OUT + HEAD, OUT + TAIL, ERR + BYTES, ERR + HEAD, ERR + TAIL]);
    forget_task($task);
}

sub tell_unstarted {
    my ($tag, $kind, $errno) = @_;
    my $start = $now + $real_offset;
    tell_end($tag, -1, $kind, $kind == $LOST ? 1 : 0, $errno, $start, $start, 0, 0, '', '', 0, '', '');
}

sub exec_error_of {
    my ($serial) = @_;
    my $records;
    my %found = sysread($error_reader, $records, 65536) ? unpack('(NN)*', $records) : ();
    @exec_error{ keys %found } = values %found;
    return delete $exec_error{$serial};
}

# A task that is no longer young: its pipes are watched from now on, and the engine learns its pid.
sub grow_up {
    return if $young[0][BEGAN] + $YOUNG_SECONDS > $now && !defined $young[0][STATUS];
    read_answers() if %unanswered;
    while (@young && (defined $young[0][STATUS] || $young[0][BEGAN] + $YOUNG_SECONDS <= $now)) {
        my $task = shift @young;
        next if defined $task->[STATUS] || $task->[OUT + FD] < 0 && $task->[ERR + FD] < 0;
        if ($task->[PID]) { tell_started(@$task[TAG, PID]) }
        elsif (!$answer_is_late) {
            $answer_is_late = 1;
            watch($answers_slot, fileno $answers, 1);
        }
        for my $stream (OUT, ERR) {
            next if $task->[$stream + FD] < 0;
            my $slot = $task->[$stream + SLOT] = poll_slot($task->[$stream + FD], 1);
            ($task_of_slot[$slot], $stream_of_slot[$slot]) = ($task, $stream);
        }
    }
}

# Reads what is there, at most one buffer; the stream must be ready. Answers how much.
sub drain {
    my ($task, $stream) = @_;
    my $count = read_fd($task->[$stream + FD], $buffer, $READ_BYTES);
    if ($count <= 0) {
        close_stream($task, $stream) unless $count < 0 && would_block();
        return 0;
    }
    $task->[$stream + BYTES] += $count;
    my $missing = $HEAD_BYTES - length $task->[$stream + HEAD];
    $task->[$stream + HEAD] .= substr($buffer, 0, $missing < $count ? $missing : $count) if $missing > 0;
    if ($count >= $TAIL_BYTES) { $task->[$stream + TAIL] = substr($buffer, $count - $TAIL_BYTES, $TAIL_BYTES) }
    else { $task->[$stream + TAIL] = substr($task->[$stream + TAIL] . substr($buffer, 0, $count), -$TAIL_BYTES) }
    return $count;
}

sub drain_last {
    my ($task, $stream) = @_;
    my $fd = $task->[$stream + FD];
    my $taken = drain($task, $stream);
    # Only a task that made its pipe larger can have left more.
    if ($taken == $READ_BYTES) {
        my $capacity = pipe_capacity($fd);
        while ($taken < $capacity && (peek($fd, -1))[0]) { $taken += drain($task, $stream) || last }
    }
}

sub close_stream {
    my ($task, $stream) = @_;
    if (defined(my $slot = $task->[$stream + SLOT])) {
        free_poll_slot($slot);
        $task_of_slot[$slot] = $task->[$stream + SLOT] = undef;
    }
    close_fd($task->[$stream + FD]) if $task->[$stream + FD] >= 0;
    $task->[$stream + FD] = -1;
}

# The loop, and the frames to and from the engine: length (32 bits, of what follows), one letter, contents.
use strict;

my $VERSION = 3;
my ($POLLIN, $POLLOUT) = (1, 4);
my ($control, $reports, $control_slot, $reports_slot);
my $received = '';
my $reports_full = 0;

# While the queue keeps the slots busy ends can wait for each other: each time that the engine is woken costs as much as several
# tasks. It must hear of them early enough to fill the queue again.
my $HOLD_SECONDS = 0.05;
my $refill_at = 0;     # the length of the queue at which it must
my $urgent = 0;        # something that is no such end waits to be sent
my @kept_open;

# --- from the engine
sub read_frames {
    my $count = sysread($control, $received, 262144, length $received);
    if (defined $count ? $count == 0 : !would_block()) {
        # The engine is gone.
        ($ended, $fenced) = (1, 1);
        watch($control_slot, -1, 0);
        kill_everything();
        return;
    }
    while (length $received >= 4) {
        my $length = unpack('N', $received);
        last if length $received < 4 + $length;
        take_frame(substr($received, 4, 1), substr($received, 5, $length - 1));
        substr($received, 0, 4 + $length) = '';
    }
    $refill_at = @queue >> 1;
}

sub take_frame {
    my ($kind, $contents) = @_;
    if ($kind eq 'L') {
        # Flags (1: it replaces variables of ours), environment, command. With what its slot has (2: a mask of CPUs, which comes
        # before the variables) this is what the spawner takes too.
        my ($tag, @request) = unpack('N C N/a a*', $contents);
        $fenced ? tell_unstarted($tag, $LOST, 0) : launch($tag, @request);
    } elsif ($kind eq 'Q') {
        my ($tag, @request) = unpack('N C N/a a*', $contents);
        $fenced ? tell_recalled($tag) : enqueue($tag, @request);
    } elsif ($kind eq 'R') {
        recall();
    } elsif ($kind eq 'T') {
        set_limit(unpack('N d> d>', $contents));
    } elsif ($kind eq 'P') {
        set_places($contents);
    } elsif ($kind eq 'S') {
        my ($tag, $grace_ms) = unpack('NN', $contents);
        stop_by_tag($tag, $grace_ms / 1000);
    } elsif ($kind eq 'D') {
        set_fence(unpack('d>', $contents));
    } elsif ($kind eq 'C') {
        configure($contents);
    } else {
        die "unknown frame\n";
    }
}

sub configure {
    ($nonce, $inherited_mark) = unpack('N/a a*', $_[0]);
    send_at_once('H', pack('C d>', $VERSION, monotonic_time()));
}

# --- to the engine. Never blocks: an engine that is stopped must not stop the fence. What waits is bounded, as there
# are no launches without the engine.
sub send_frame { $to_send .= pack('N/a*', $_[0] . $_[1]) }
sub send_at_once { send_frame(@_); $urgent = 1 }

# Young tasks and those that ended well are in no hurry.
sub tell_started { send_frame('B', pack('NN', @_)) }
sub tell_recalled {
    delete @limit{@_} if %limit;
    send_at_once('R', pack('N*', @_));
}
sub tell_end {
    delete $limit{ $_[0] } if %limit;
    $to_send .= pack('N/a*', pack('A1 N l> C C N d> d> d> d> n/a* n/a* d> n/a* n/a*', 'E', @_));
}
sub tell_fenced { send_at_once('F', '') }

sub flush_reports {
    if (@queue > $refill_at && !$urgent && !$ended && !$reports_full) {
        $held_until = $now + $HOLD_SECONDS unless defined $held_until;
        return if $now < $held_until;
    }
    ($held_until, $urgent) = (undef, 0);
    my $count = syswrite($reports, $to_send);
    substr($to_send, 0, $count) = '' if $count;
    # An engine that closes us still listens. One that is dead does not, and is not waited for.
    $to_send = '' if $ended && !defined $count && !would_block();
    my $is_full = $to_send ne '' && !$ended;
    return if $reports_full == $is_full;
    $reports_full = $is_full;
    watch($reports_slot, $reports_full ? fileno $reports : -1, $POLLOUT);
}

sub open_channels {
    # Above 2 everything closes on exec ($^F), also what we inherited; 0 is what each task gets as its input.
    open($control, '+<&', 0) or die "control: $!\n";
    open($reports, '>&', 1) or die "reports: $!\n";
    open(my $null, '+<', '/dev/null') or die "/dev/null: $!\n";
    redirect(fileno $null, $_) for 0, 1;
    for my $fd (inherited_fds()) {
        open(my $handle, '<&=', $fd) or next;
        fcntl($handle, 2, 1);          # F_SETFD, FD_CLOEXEC
        push @kept_open, $handle;      # closing the handle would close the descriptor
    }
    set_nonblocking($_) for $control, $reports;
    $control_slot = poll_slot(fileno $control, $POLLIN);
    $reports_slot = poll_slot(-1, $POLLOUT);
}

sub inherited_fds {
    opendir(my $fds, -d '/proc/self/fd' ? '/proc/self/fd' : '/dev/fd') or return 3 .. 255;
    return grep { /^\d+$/ && $_ > 2 && $_ != fileno $fds } readdir $fds;
}

sub run {
    $0 = 'taskmuster-launcher';
    # Defaults for all, whatever was inherited (perl itself ignores SIGFPE): an ignored signal stays so across exec.
    $SIG{$_} = 'DEFAULT' for grep { !/^(KILL|STOP|NUM|RT|__)/ } keys %SIG;
    open_channels();
    open_platform();
    open_task_channels();
    look_at_clocks();
    until ($ended && !%running && !$strays) {
        my $deadline = next_deadline();
        my $asked = 0;
        my @ready = wait_for_events(defined $deadline ? $deadline - $now : undef);
        look_at_clocks();
        for my $slot (@ready) {
            if (my $task = $task_of_slot[$slot]) { drain($task, $stream_of_slot[$slot]) }
            elsif ($slot == $control_slot) { $asked = 1 }
            elsif ($slot == $answers_slot) { read_answers() }
        }
        $tree_changed = 1 if reap() && %stopping;
        read_frames() if $asked && !$ended;
        grow_up() if @young;
        retry_unforked() if @unforked;
        stop_overdue() if defined $next_time_up && $next_time_up <= $now;
        check_fence();
        advance_stops() if %stopping;
        check_fence() if $fence_untold;
        flush_reports() if $to_send ne '';
    }
    if (($spawner_pid || 0) > 1) { kill('KILL', $spawner_pid); waitpid($spawner_pid, 0) }
    exit_at_once(0);
}

run();

# The platform, Linux: system calls by their numbers (%NR comes before this text) and no module at all. A small process is
# cheap to fork, and perl alone is on every node.
use strict;

my ($SIGCHLD, $EAGAIN, $EINTR) = (17, 11, 4);
my ($O_CLOEXEC, $O_NONBLOCK) = (02000000, 04000);
my ($PR_SET_PDEATHSIG, $PR_SET_CHILD_SUBREAPER) = (1, 36);
my $F_GETPIPE_SZ = 1032;
my ($NR_pipe2, $NR_close, $NR_read, $NR_ppoll, $NR_clock) = @NR{qw(pipe2 close read ppoll clock_gettime)};

# Every signal but SIGCHLD stays blocked for ever, and SIGCHLD except while we wait: nothing but the engine ends this
# process, and the end of a child cannot fall between looking and waiting. A signal to a fresh child waits until
# the child has its defaults back, so a stop right after a launch is not lost.
my $EVERY_SIGNAL = "\xff" x 8;
my $NO_SIGNAL = "\0" x 8;
my $ALL_BUT_CHILD = pack('L!', ~(1 << ($SIGCHLD - 1)));
my $SIG_SETMASK = 2;

my $adopts_orphans = 0;   # whether a task's orphans become our children
my $timespec = "\0" x 16;
my $two_fds = "\0" x 8;
my $pollset = '';         # struct pollfd[]; -1 as the descriptor is passed over

sub open_platform {
    length(pack 'L!', 0) == 8 or die "perl is not 64-bit\n";
    my $none = pack('l!l!', 0, 0);
    syscall($NR_ppoll, 0, 0, $none, 0, 8) == 0 or die "ppoll: $!\n";
    syscall($NR_pipe2, $two_fds, $O_CLOEXEC) == 0 or die "pipe2: $!\n";
    syscall($NR_close, $_) for unpack('ii', $two_fds);
    $adopts_orphans = syscall($NR{prctl}, $PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ? 1 : 0;
    syscall($NR{rt_sigprocmask}, $SIG_SETMASK, $EVERY_SIGNAL, 0, 8);
    $SIG{CHLD} = sub { };   # without a handler its arrival would not end a wait
}

sub would_block { $! == $EAGAIN || $! == $EINTR }
sub exit_at_once { syscall($NR{exit_group}, $_[0]) }

sub real_time {
    syscall($NR_clock, 0, $timespec);
    my ($s, $ns) = unpack('l!l!', $timespec);
    return $s + $ns / 1e9;
}

sub monotonic_time {
    syscall($NR_clock, 1, $timespec);
    my ($s, $ns) = unpack('l!l!', $timespec);
    return $s + $ns / 1e9;
}

# --- descriptors, as plain numbers
sub make_pipe { return syscall($NR_pipe2, $two_fds, $O_CLOEXEC) == 0 ? unpack('ii', $two_fds) : () }
sub close_fd { syscall($NR_close, $_[0]) }
sub read_fd { return syscall($NR_read, $_[0], $_[1], $_[2]) }   # into a buffer that is long enough already
sub redirect { syscall($NR{dup3}, $_[0], $_[1], 0) }
sub pipe_capacity { my $bytes = syscall($NR{fcntl}, $_[0], $F_GETPIPE_SZ, 0); return $bytes > 0 ? $bytes : 65536 }
sub set_nonblocking { fcntl($_[0], 4, fcntl($_[0], 3, 0) | $O_NONBLOCK) }

# In a child, before exec. The kernel kills a task's own shell when we die, however we die.
sub prepare_child {
    my ($out, $err) = @_;
    syscall($NR{setsid});
    syscall($NR{prctl}, $PR_SET_PDEATHSIG, 9, 0, 0, 0);
    syscall($NR{dup3}, $out, 1, 0);
    syscall($NR{dup3}, $err, 2, 0);
}
# A task that cannot be pinned runs all the same.
sub pin_to { my ($mask) = @_; syscall($NR{sched_setaffinity}, 0, length $mask, $mask) }
sub unblock_signals { syscall($NR{rt_sigprocmask}, $SIG_SETMASK, $NO_SIGNAL, 0, 8) }

# --- the process that forks for us, see spawner.pl
our ($spawner_pid, $requests, $answers);
my $MOST_REQUEST_BYTES = 65536;   # of the spawner's buffer

# False: it cannot take this one now.
sub ask_spawner {
    my ($request, $out, $err) = @_;
    return 0 if !$spawner_pid || length $request > $MOST_REQUEST_BYTES;
    my $iovec = pack('PJ', $request, length $request);
    my $rights = pack('Jiiii', 24, 1, 1, $out, $err);   # SOL_SOCKET, SCM_RIGHTS
    my $msghdr = pack('J Lx4 P J P J ix4', 0, 0, $iovec, 1, $rights, 24, 0);
    return syscall($NR{sendmsg}, fileno $requests, $msghdr, 0x40) > 0;   # MSG_DONTWAIT
}

# --- waiting
my @free_poll_slots;

sub poll_slot {
    my ($fd, $events) = @_;
    my $slot = @free_poll_slots ? pop @free_poll_slots : length($pollset) >> 3;
    watch($slot, $fd, $events);
    return $slot;
}
sub watch { my ($slot, $fd, $events) = @_; substr($pollset, $slot << 3, 8) = pack('iss', $fd, $events, 0) }
sub free_poll_slot { my ($slot) = @_; watch($slot, -1, 0); push @free_poll_slots, $slot }

# Waits for a watched descriptor, for the end of a child, or for $seconds (undef: for ever). Answers the slots that
# are ready, and tells nothing of children: the caller asks waitpid.
sub wait_for_events {
    my ($seconds) = @_;
    my $timeout = 0;   # a null pointer
    if (defined $seconds) {
        $seconds = 0 if $seconds < 0;
        $timeout = pack('l!l!', int $seconds, int(($seconds - int $seconds) * 1e9));
    }
    return if syscall($NR_ppoll, $pollset, length($pollset) >> 3, $timeout, $ALL_BUT_CHILD, 8) <= 0;
    my $slot = -1;
    return map { $slot++; $_ ? $slot : () } unpack('(x6s)*', $pollset);
}

# Of two readers (-1: none), whether something can be read without waiting.
sub peek {
    my $set = pack('ississ', $_[0], 1, 0, $_[1], 1, 0);
    my $none = pack('l!l!', 0, 0);
    syscall($NR_ppoll, $set, 2, $none, 0, 8);
    my ($first, $second) = unpack('x6sx6s', $set);
    return ($first & 1, $second & 1);
}

# Waits for one reader; false: nothing came within $seconds.
sub peek_within {
    my ($fd, $seconds) = @_;
    my $set = pack('iss', $fd, 1, 0);
    my $timeout = pack('l!l!', 0, $seconds > 0 ? int($seconds * 999_999_999) : 0);
    return syscall($NR_ppoll, $set, 1, $timeout, 0, 8) > 0;
}

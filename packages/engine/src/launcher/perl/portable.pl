# The platform, anywhere else: what POSIX and Time::HiRes give. The same functions as linux.pl.
use strict;
use POSIX ();
use Time::HiRes ();

my $CHILD_SIGNAL = POSIX::SigSet->new(POSIX::SIGCHLD());
my $NO_SIGNAL = POSIX::SigSet->new;
my $MONOTONIC = Time::HiRes::CLOCK_MONOTONIC();
# Perl runs a signal's handler between operations, so one that arrives after the last check and before select blocks
# is noticed late; the pipe that the handler writes to narrows that to an instant, the short wait bounds it.
my $LONGEST_BLIND_WAIT = 0.05;

my $adopts_orphans = 0;
my ($wake_reader, $wake_writer);
my (@watched, @free_poll_slots);   # slot => [descriptor, events]
my %handle_of;                     # descriptor => the handle that keeps it open

sub open_platform {
    my $all = POSIX::SigSet->new;
    $all->fillset;
    POSIX::sigprocmask(POSIX::SIG_SETMASK(), $all);
    pipe($wake_reader, $wake_writer) or die "pipe: $!\n";
    set_nonblocking($_) for $wake_reader, $wake_writer;
    $SIG{CHLD} = sub { syswrite($wake_writer, 'c') };
}

sub would_block { $! == POSIX::EAGAIN() || $! == POSIX::EWOULDBLOCK() || $! == POSIX::EINTR() }
sub exit_at_once { POSIX::_exit($_[0]) }
sub real_time { return Time::HiRes::time() }
sub monotonic_time { return Time::HiRes::clock_gettime($MONOTONIC) }

sub make_pipe {
    pipe(my $reader, my $writer) or return ();
    @handle_of{ fileno $reader, fileno $writer } = ($reader, $writer);
    return (fileno $reader, fileno $writer);
}
sub close_fd { close(delete $handle_of{ $_[0] }) }
sub read_fd { my $count = POSIX::read($_[0], $_[1], $_[2]); return defined $count ? $count + 0 : -1 }
sub redirect { POSIX::dup2($_[0], $_[1]) }
sub pipe_capacity { return 1 << 20 }   # of one that was made as large as may be
sub set_nonblocking { fcntl($_[0], POSIX::F_SETFL(), fcntl($_[0], POSIX::F_GETFL(), 0) | POSIX::O_NONBLOCK()) }

sub prepare_child {
    my ($out, $err) = @_;
    POSIX::setsid();
    redirect($out, 1);
    redirect($err, 2);
}
sub pin_to { }   # nothing that does so is everywhere
sub unblock_signals { POSIX::sigprocmask(POSIX::SIG_SETMASK(), $NO_SIGNAL) }

our ($spawner_pid, $answers);   # never there
sub ask_spawner { return 0 }
sub peek_within { die "there is no spawner to wait for\n" }

sub poll_slot {
    my $slot = @free_poll_slots ? pop @free_poll_slots : @watched;
    watch($slot, @_);
    return $slot;
}
sub watch { my ($slot, $fd, $events) = @_; $watched[$slot] = [$fd, $events] }
sub free_poll_slot { my ($slot) = @_; watch($slot, -1, 0); push @free_poll_slots, $slot }

sub wait_for_events {
    my ($seconds) = @_;
    my ($read, $write) = ('', '');
    vec($read, fileno $wake_reader, 1) = 1;
    for (grep { $_->[0] >= 0 } @watched) {
        vec($read, $_->[0], 1) = 1 if $_->[1] & 1;
        vec($write, $_->[0], 1) = 1 if $_->[1] & 4;
    }
    $seconds = $LONGEST_BLIND_WAIT if !defined $seconds || $seconds > $LONGEST_BLIND_WAIT;
    POSIX::sigprocmask(POSIX::SIG_UNBLOCK(), $CHILD_SIGNAL);
    my $ready = select($read, $write, undef, $seconds < 0 ? 0 : $seconds);
    POSIX::sigprocmask(POSIX::SIG_BLOCK(), $CHILD_SIGNAL);
    return if $ready <= 0;
    sysread($wake_reader, my $ignored, 4096);
    return grep { my $fd = $watched[$_][0]; $fd >= 0 && (vec($read, $fd, 1) || vec($write, $fd, 1)) } 0 .. $#watched;
}

sub peek {
    my $read = '';
    for (grep { $_ >= 0 } @_) { vec($read, $_, 1) = 1 }
    return (0, 0) if select($read, undef, undef, 0) <= 0;
    return map { $_ >= 0 && vec($read, $_, 1) } @_;
}

# The process that forks, on Linux. A fork costs by what its process has in memory and writes to afterwards, so this one starts
# before the rest of the launcher is even compiled, and does nothing else. Its children are not its own but the
# launcher's (CLONE_PARENT), which waits for them as if it had forked them itself.
our $native;   # path of the compiled one, or empty
our ($spawner_pid, $requests, $answers, $error_reader, $error_writer);

# AF_UNIX, SOCK_SEQPACKET: a request is one message, with the ends of two pipes in it.
socketpair($requests, my $inbox, 1, 5, 0) && pipe($answers, my $outbox) && pipe($error_reader, $error_writer) or die "$!\n";
$SIG{$_} = 'DEFAULT' for grep { !/^(KILL|STOP|NUM|RT|__)/ } keys %SIG;
my ($SIG_SETMASK, $EVERY_SIGNAL, $NO_SIGNAL) = (2, "\xff" x 8, "\0" x 8);
syscall($NR{rt_sigprocmask}, $SIG_SETMASK, $EVERY_SIGNAL, 0, 8);   # see linux.pl
$spawner_pid = fork;
defined $spawner_pid or die "fork: $!\n";

if ($spawner_pid == 0) {
    $0 = 'taskmuster-spawner';
    syscall($NR{prctl}, 1, 9, 0, 0, 0);                            # PR_SET_PDEATHSIG, SIGKILL
    open(my $null, '+<', '/dev/null') or die "/dev/null: $!\n";
    syscall($NR{dup3}, fileno $null, $_, 0) for 0, 1;
    my %mine = map { (fileno $_ => 1) } $inbox, $outbox, $error_writer;
    opendir(my $fds, '/proc/self/fd') or die "/proc/self/fd: $!\n";
    syscall($NR{close}, $_ + 0) for grep { /^\d+$/ && $_ > 2 && $_ != fileno $fds && !$mine{$_} } readdir $fds;
    closedir $fds;

    if ($native ne '') {
        # See ../native/spawner.c. Where it cannot be run here, what follows does the same, a little slower.
        fcntl($_, 2, 0) for $inbox, $outbox, $error_writer;        # F_SETFD: stays open across exec
        # Not by perl's exec: what the kernel refuses, as it is for another processor, that would hand to a shell.
        my @words = ('taskmuster-spawner', map { '' . fileno $_ } $inbox, $outbox, $error_writer);
        my @variables = map { "$_=$ENV{$_}" } keys %ENV;
        my ($argv, $envp) = (pack('p*', @words) . pack('J', 0), pack('p*', @variables) . pack('J', 0));
        syscall($NR{execve}, $native, $argv, $envp);
        fcntl($_, 2, 1) for $inbox, $outbox, $error_writer;
    }

    my ($NR_recvmsg, $NR_clone, $NR_close, $NR_write, $NR_setsid, $NR_prctl, $NR_dup3, $NR_sigprocmask, $NR_affinity)
        = @NR{qw(recvmsg clone close write setsid prctl dup3 rt_sigprocmask sched_setaffinity)};
    my ($NR_execve, $bash, $dash_c) = ($NR{execve}, '/bin/bash', '-c');
    my ($in, $out) = (fileno $inbox, fileno $outbox);
    my $request = "\0" x 65536;
    my $rights = "\0" x 24;                                        # cmsghdr and two descriptors
    my $iovec = pack('PJ', $request, length $request);
    # What each task's environment begins with, as the kernel takes it: setting variables one by one costs more than all else here.
    my @own = map { "$_=$ENV{$_}" } keys %ENV;
    my $own = pack('p*', @own);
    my ($length, $msghdr, $answer, $serial, $flags, $mask, $command, @added, %names, $argv, $envp);
    while (1) {
        $msghdr = pack('J Lx4 P J P J ix4', 0, 0, $iovec, 1, $rights, 24, 0);
        $length = syscall($NR_recvmsg, $in, $msghdr, 0x40000000);  # MSG_CMSG_CLOEXEC
        next if $length < 0 && $! == 4;
        last if $length <= 0;
        my ($output, $errors) = unpack('x16ii', $rights);
        my $cut = unpack('x48i', $msghdr) & 8;                     # MSG_CTRUNC: no room for the descriptors
        $! = 24 if $cut;                                           # EMFILE
        my $pid = $cut ? -1 : syscall($NR_clone, 0x8000 | 17, 0, 0, 0, 0);   # CLONE_PARENT | SIGCHLD
        if ($pid == 0) {
            syscall($NR_setsid);
            syscall($NR_prctl, 1, 9, 0, 0, 0);
            syscall($NR_dup3, $output, 1, 0);
            syscall($NR_dup3, $errors, 2, 0);
            ($serial, $flags, $command, @added) = unpack('NCN/a(N/a)*', substr($request, 0, $length));
            if ($flags & 2) {
                $mask = shift @added;
                syscall($NR_affinity, 0, length $mask, $mask);
            }
            if ($flags & 1) {
                %names = map { /^([^=]*)/ ? ($1 => 1) : () } @added;
                $own = pack('p*', grep { !/^([^=]*)/ || !$names{$1} } @own);
            }
            ($argv, $envp) = (pack('pppJ', $bash, $dash_c, $command, 0), $own . pack('p*', @added) . pack('J', 0));
            syscall($NR_sigprocmask, $SIG_SETMASK, $NO_SIGNAL, 0, 8);
            syscall($NR_execve, $bash, $argv, $envp);
            $answer = pack('NN', $serial, $!);
            syscall($NR_write, fileno $error_writer, $answer, 8);
            syscall($NR{exit_group}, 127);
        }
        $answer = substr($request, 0, 4) . pack('NN', $pid > 0 ? $pid : 0, $pid > 0 ? 0 : $!);
        unless ($cut) { syscall($NR_close, $_) for $output, $errors }
        syscall($NR_write, $out, $answer, 12);
    }
    syscall($NR{exit_group}, 0);
}

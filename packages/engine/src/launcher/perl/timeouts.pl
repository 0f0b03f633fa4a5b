# A task that has run for as long as it may is stopped like any other, and its end says why.
use strict;

# No later than the first of those times; undef: nothing runs that has one. What has ended meanwhile makes it too early.
my $next_time_up;

sub set_limit {
    my ($tag, @limit) = @_;
    $limit{$tag} = \@limit;
}

# Its shell was started, or is about to be.
sub begin_limit {
    my ($task) = @_;
    my $limit = $limit{ $task->[TAG] } or return;
    my $at = $task->[BEGAN] + $limit->[0];
    $time_up{ $task->[SERIAL] } = [$task, $at, $limit->[1]];
    $next_time_up = $at if !defined $next_time_up || $at < $next_time_up;
}

sub stop_overdue {
    undef $next_time_up;
    for my $serial (keys %time_up) {
        # To learn the pid of one may tell that another has ended.
        my ($task, $at, $grace) = @{ $time_up{$serial} || next };
        if ($at > $now) {
            $next_time_up = $at if !defined $next_time_up || $at < $next_time_up;
            next;
        }
        delete $time_up{$serial};
        # One that is being stopped already is stopped for that reason.
        next if $task->[STOP];
        $task->[TIMED_OUT] = 1;
        stop_tree($task, $grace);
    }
}

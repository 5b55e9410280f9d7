# People and a scrip for the tests, made over RT's own modules. Prints the people's tokens.
use strict;
use warnings;
use RT;
RT::LoadConfig();
RT::Init();
require RT::AuthToken;
my $system = RT->SystemUser;

sub user {
    my ( $name, %more ) = @_;
    my $user = RT::User->new($system);
    my ( $ok, $msg ) = $user->Create( Name => $name, RealName => "The $name", EmailAddress => "$name\@desk.test", %more );
    die "$name: $msg\n" unless $ok;
    return $user;
}

sub grant {
    my ( $user, $object, @rights ) = @_;
    for my $right (@rights) {
        my ( $ok, $msg ) = $user->PrincipalObj->GrantRight( Right => $right, Object => $object );
        die "$right: $msg\n" unless $ok;
    }
}

sub token {
    my ( $variable, $user ) = @_;
    my ( $ok, $msg, $token ) = RT::AuthToken->new($system)->Create( Owner => $user->id, Description => 'test' );
    die "token: $msg\n" unless $ok;
    print "$variable='$token'\n";
}

my @see  = qw(SeeQueue ShowTicket ShowTicketComments SeeCustomField);
my @work = qw(CommentOnTicket ReplyToTicket ModifyTicket OwnTicket TakeTicket StealTicket ReassignTicket
              ModifyCustomField CreateTicket);

my $floater = user( 'floater', Privileged => 1 );
for my $name (qw(tier1 tier2)) {
    my $queue = RT::Queue->new($system);
    $queue->Load($name);
    grant( $floater, $queue, @see, @work );
}
for my $name (qw(tier1-agents tier2-agents)) {
    my $group = RT::Group->new($system);
    $group->LoadUserDefinedGroup($name);
    my ( $ok, $msg ) = $group->AddMember( $floater->PrincipalId );
    die "$name: $msg\n" unless $ok;
}
token( FLOATER => $floater );

my $reader = user( 'reader', Privileged => 1 );
grant( $reader, RT->System, @see );
token( READER => $reader );

my $customer = user( 'customer@bakery.test', EmailAddress => 'customer@bakery.test', RealName => 'A customer' );
token( CUSTOMER => $customer );

my ( $ok, $msg ) = RT::Scrip->new($system)->Create(
    Description => 'Hint to handoffd', Queue => 0, Template => 'Blank', Stage => 'TransactionCreate',
    ScripCondition => 'User Defined', CustomIsApplicableCode => 'return 1;',
    ScripAction => 'User Defined', CustomPrepareCode => 'return 1;', CustomCommitCode => $ENV{SCRIP},
);
die "scrip: $msg\n" unless $ok;

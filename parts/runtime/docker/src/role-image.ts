import type { Digest } from "@sampan/content";
import type { RoleImage } from "@sampan/runtime/conformance";
import type { EngineClient } from "./engine-client.ts";
import { writeTar } from "./file-tar.ts";

/** Base of the test images: all that `/role` needs is in it. `npm test` makes it where it is absent. */
const BASE = "debian:bookworm-slim";

/** `/role` of the conformance suite, in Perl, which the base image has; and `hammer HOST`, which asks without a pause until `/run/enough` is there. */
const ROLE = String.raw`#!/usr/bin/perl
use strict; use warnings; use IO::Socket::INET;
$| = 1; STDERR->autoflush(1);
$SIG{TERM} = sub { exit 143 };
$SIG{PIPE} = "IGNORE";
my ($word, @rest) = @ARGV;
sub serve {
  print "serving\n";
  select(undef, undef, undef, ($rest[0] // 0) / 1000);
  my $server = IO::Socket::INET->new(LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die $!;
  while (1) {
    my $client = $server->accept or next;
    my $first = <$client>;
    if (defined $first) {
      while (my $line = <$client>) { last if $line =~ /^\r?\n$/ }
      my ($path) = $first =~ m{^\S+ (\S+)};
      my $sick = -e "/run/sick";
      my ($status, $body) = $path eq "/" ? (200, $ENV{TAG} // "")
        : $path eq "/ready" && !$sick ? (200, "ready") : (404, "");
      print $client "HTTP/1.1 $status X\r\nConnection: close\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
    }
    close $client;
  }
}
sub get {
  my ($host, $port, $path) = $rest[0] =~ m{^http://([^:/]+):?(\d*)(.*)$} or exit 1;
  my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port || 80, Timeout => 5) or exit 1;
  print $socket "GET " . ($path || "/") . " HTTP/1.1\r\nHost: $host\r\nConnection: close\r\n\r\n";
  my $reply = do { local $/; <$socket> };
  exit 1 unless defined $reply && $reply =~ m{^HTTP/1\.\d 200 .*?\r\n\r\n(.*)$}s;
  print $1;
}
sub read_file { open(my $file, "<", $_[0]) or exit 1; local $/; my $text = <$file>; print $text // ""; }
sub write_file { open(my $file, ">", $_[0]) or exit 1; print $file $_[1] // ""; close $file or exit 1; }
my %words = (
  serve => \&serve,
  idle => sub { sleep 1000 while 1 },
  crash => sub { print STDERR "crashing\n"; exit($rest[0] // 3) },
  end => sub { print "done\n"; exit($rest[0] // 0) },
  lines => sub { print "line $_\n" for 1 .. $rest[0]; print STDERR "to stderr\n"; sleep 1000 while 1 },
  get => \&get,
  env => sub { exit 1 unless exists $ENV{$rest[0]}; print "$ENV{$rest[0]}\n" },
  cat => sub { read_file($rest[0]) },
  mode => sub { my @stat = stat($rest[0]) or exit 1; printf "%04o\n", $stat[2] & 07777 },
  write => sub { write_file(@rest) },
  exit => sub { exit $rest[0] },
  both => sub { print "out\n"; print STDERR "err\n" },
  spew => sub { print "x" x $rest[0] },
  hang => sub { sleep 1000 while 1 },
  input => sub { 1 while <STDIN>; print "end of input\n" },
  sick => sub { write_file("/run/sick", "") },
  well => sub { unlink "/run/sick" or exit 1 },
  hammer => sub {
    my ($asked, $lost) = (0, 0);
    until (-e "/run/enough") {
      $asked++;
      my $socket = IO::Socket::INET->new(PeerAddr => $rest[0], PeerPort => 8080, Timeout => 5);
      print $socket "GET / HTTP/1.1\r\n\r\n" if $socket;
      my $reply = $socket && do { local $/; <$socket> };
      $lost++ unless defined $reply && $reply =~ m{^HTTP/1.1 200};
    }
    print $asked > 0 ? "lost $lost\n" : "asked nothing\n";
  },
);
my $do = $words{$word // ""} or exit 64;
$do->();
`;

/** Makes an image in the engine that holds `/role`; `mark` makes it differ from others. */
export async function makeRoleImage(
  client: EngineClient,
  image: { readonly name: string; readonly mark: string },
): Promise<RoleImage> {
  const { body: container } = await client.call<{ readonly Id: string }>({
    method: "POST",
    path: "/containers/create",
    body: { Image: BASE, Cmd: ["/role", "idle"] },
    what: `make a container of ${BASE}`,
  });
  try {
    const file = (path: string, text: string) => ({
      path,
      content: Buffer.from(text),
      mode: 0o755,
      uid: 0,
      gid: 0,
    });
    await client.call({
      method: "PUT",
      path: `/containers/${container.Id}/archive`,
      query: { path: "/" },
      body: writeTar([file("role", ROLE), file("mark", image.mark)]),
      what: "put /role in place",
    });
    const [repo = "", tag = ""] = image.name.split(":");
    const { body } = await client.call<{ readonly Id: Digest }>({
      method: "POST",
      path: "/commit",
      query: { container: container.Id, repo, tag },
      what: `make image ${image.name}`,
    });
    return { id: body.Id, name: image.name };
  } finally {
    await client.call({
      method: "DELETE",
      path: `/containers/${container.Id}`,
      query: { force: true, v: true },
      what: "remove a container",
    });
  }
}

export async function removeImage(client: EngineClient, reference: string): Promise<void> {
  await client.call({
    method: "DELETE",
    path: `/images/${reference}`,
    what: `remove image ${reference}`,
    accept: [404],
  });
}

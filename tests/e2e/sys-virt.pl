# SPDX-License-Identifier: GPL-2.0-or-later
# Sys::Virt, unmodified, through the API: what test_sysvirt.py checks of it, one line each. Argument: the connection's URI.
use strict;
use warnings;
use Sys::Virt;
use Sys::Virt::Network;
use Sys::Virt::Event;

$| = 1;
Sys::Virt::Event::register_default();
my $uri = shift;
my $v = Sys::Virt->new(uri => $uri);

sub say_ { print join(" ", @_), "\n" }

# What the call does, or the error's code, domain and text.
sub try_ {
	my ($what, $sub) = @_;
	my @got = eval { $sub->() };
	if (my $e = $@) {
		say_("$what: error", $e->code, $e->domain, $e->message);
	} else {
		say_("$what:", map { defined $_ ? $_ : "undef" } @got);
	}
}

sub xml {
	my ($name, $net) = @_;
	return "<network><name>$name</name><bridge name='br-$name'/><ip address='10.$net.0.1' netmask='255.255.255.0'/></network>";
}

sub pump {
	my ($until) = @_;
	my $timer = Sys::Virt::Event::add_timeout(100, sub { });
	for (1 .. 50) {
		last if $until->();
		Sys::Virt::Event::run_default();
	}
	Sys::Virt::Event::remove_timeout($timer);
}

try_("type", sub { $v->get_type });
try_("alive", sub { $v->is_alive ? 1 : 0 });
try_("secure", sub { $v->is_secure });
try_("library", sub { $v->get_library_version });
try_("domains", sub { $v->num_of_domains, $v->num_of_defined_domains, scalar(my @none = $v->list_all_networks) });

my $lan = $v->define_network(xml("lan", 51));
try_("autostart", sub { $lan->set_autostart(1); $lan->get_autostart ? 1 : 0 });
my @seen;
my $all = $v->network_event_register_any(undef, Sys::Virt::Network::EVENT_ID_LIFECYCLE,
	sub { my ($c, $n, $event, $detail) = @_; push @seen, $n->get_name . " $event $detail"; });
$lan = $v->define_network($lan->get_xml_description(Sys::Virt::Network::XML_INACTIVE));
try_("name", sub { $lan->get_name });
try_("lookup", sub { $v->get_network_by_uuid($lan->get_uuid)->get_name, $v->get_network_by_uuid($lan->get_uuid_string)->get_name });
try_("states", sub { map { $_ ? 1 : 0 } $lan->is_active, $lan->is_persistent, $lan->get_autostart });
try_("start", sub { $lan->create; () });
try_("start again", sub { $lan->create; () });
try_("states", sub { map { $_ ? 1 : 0 } $lan->is_active, $lan->is_persistent, $lan->get_autostart });
try_("bridge", sub { $lan->get_bridge_name });
try_("leases", sub { scalar(my @l = $lan->get_dhcp_leases) });
try_("ports", sub { scalar(my @p = $lan->list_all_ports) });
my $only = $v->network_event_register_any($lan, Sys::Virt::Network::EVENT_ID_LIFECYCLE,
	sub { my ($c, $n, $event, $detail) = @_; push @seen, "only " . $n->get_name . " $event $detail"; });
my $temp = $v->create_network(xml("temp", 52));
try_("numbers", sub { $v->num_of_networks, $v->num_of_defined_networks });
try_("names", sub { join ",", sort $v->list_network_names(100) });
try_("list", sub { join ",", sort map { $_->get_name } $v->list_all_networks(Sys::Virt::Network::LIST_TRANSIENT) });
try_("no such", sub { $v->get_network_by_name("nosuch") });
try_("wrong", sub { $v->define_network("<network/>"); });
$temp->destroy;
try_("gone", sub { $temp->get_xml_description });
$lan->destroy;
pump(sub { @seen >= 6 });
$v->network_event_deregister_any($only);
$v->network_event_deregister_any($all);
$lan->undefine;
say_("event:", $_) for @seen;
my $ro = Sys::Virt->new(uri => $uri, readonly => 1);
try_("read-only", sub { $ro->define_network(xml("lan", 51)) });

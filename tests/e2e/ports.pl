# SPDX-License-Identifier: GPL-2.0-or-later
# Ports through Sys::Virt, unmodified: what test_ports.py checks of it. Argument: the connection's URI.
use strict;
use warnings;
use Sys::Virt;
use Sys::Virt::NetworkPort;

$| = 1;
my $v = Sys::Virt->new(uri => shift);
my $net = $v->get_network_by_name("lab");
my $uuid = "b4c95c15-3d9e-4fd0-8e5e-8a5f5e1f5a01";

sub xml {
	my ($more) = @_;
	return "<networkport><uuid>$uuid</uuid><owner><name>vm1</name><uuid>3d3db22f-b4aa-49a6-bd5f-d3f6ff4b5dd1</uuid></owner>"
	    . "<mac address='52:54:00:7b:35:93'/>$more</networkport>";
}

sub fails {
	my ($what, $sub) = @_;
	eval { $sub->() };
	print $@ ? "$what: " . $@->code . " " . $@->message . "\n" : "$what: did not fail\n";
}

sub parameters {
	my ($port) = @_;
	my $params = $port->get_parameters();
	print join(" ", map { "$_=$params->{$_}" } sort keys %$params), "\n";
}

# Sys::Virt sets only what it is given: without a bandwidth there would be nothing to set.
my $port = $net->create_port(xml("<bandwidth><inbound average='1'/></bandwidth>"));
print "create: ", $port->get_uuid_string(), "\n";
parameters($port);
$port->set_parameters({ "inbound.average" => 5, "inbound.peak" => 6, "inbound.burst" => 7, "inbound.floor" => 0 });
parameters($port);
print "dump: ", $port->get_xml_description() =~ /(<inbound.*>)/, "\n";
fails("again", sub { $net->create_port(xml("")) });
fails("floor", sub { $port->set_parameters({ "inbound.floor" => 5 }) });
fails("reclaim without a plug", sub { $net->create_port(xml(""), 1) });
print "list: ", scalar(my @one = $net->list_all_ports()), "\n";
$port->delete();
print "deleted: ", scalar(my @none = $net->list_all_ports()), "\n";
$port = $net->create_port(xml("<plug type='network' bridge='gone'/>"), 1);
print "reclaim: ", $port->get_xml_description() =~ /(<plug.*>)/, "\n";
$port->delete();
fails("gone", sub { $port->get_xml_description() });

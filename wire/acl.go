package wire

import "strings"

// ServerUser is the name under which the server's roles log in at the broker.
// Gateways log in as GatewayUser.
const ServerUser = "_server"

// GatewayUser is the MQTT user name of a gateway: gateway ids are unique only
// within their factory.
func GatewayUser(factory, gateway string) string { return factory + "/" + gateway }

// ClientAllowed reports whether username may connect as clientID: as its own
// name, or as that and ":" and a suffix. A client id taken freely could be
// another's, and MQTT disconnects the other.
func ClientAllowed(username, clientID string) bool {
	rest, ok := strings.CutPrefix(clientID, username)
	return ok && username != "" && (rest == "" || rest[0] == ':')
}

// Permission allows one topic filter. What no permission allows is forbidden.
type Permission struct {
	Filter             string
	Publish, Subscribe bool
}

// GatewayACL is all that a gateway may do: publish on its own branch, and hear
// what the server sends to it. It is the one table for the embedded broker and
// for Mosquitto.
func GatewayACL(factory, gateway string) []Permission {
	var acl []Permission
	for _, t := range []Topic{
		PackTopic(factory, gateway, Readings, false), PackTopic(factory, gateway, Readings, true),
		PackTopic(factory, gateway, Alarms, false), PackTopic(factory, gateway, Alarms, true),
		BirthTopic(factory, gateway), PresenceTopic(factory, gateway),
	} {
		acl = append(acl, Permission{Filter: t.String(), Publish: true})
	}
	for _, filter := range GatewayFilters(factory, gateway) {
		acl = append(acl, Permission{Filter: filter, Subscribe: true})
	}
	return acl
}

// GatewayFilters lists what a gateway subscribes to, QoS 1.
func GatewayFilters(factory, gateway string) []string {
	return []string{
		CommitTopic(factory, gateway, Readings).String(),
		CommitTopic(factory, gateway, Alarms).String(),
		CmdTopic(factory, gateway).String(),
	}
}

// ServerFilters lists what ingest subscribes to, QoS 1: all that gateways of
// all factories send.
func ServerFilters() []string {
	return []string{
		PackTopic("+", "+", Readings, false).String(), PackTopic("+", "+", Readings, true).String(),
		PackTopic("+", "+", Alarms, false).String(), PackTopic("+", "+", Alarms, true).String(),
		BirthTopic("+", "+").String(), PresenceTopic("+", "+").String(),
	}
}

// LiveFilter is what dashboards subscribe to, QoS 0.
func LiveFilter() string { return LiveTopic("+").String() }

// WakeFilter is what roles subscribe to, QoS 0, to poll at once.
func WakeFilter() string { return WakeTopic("+").String() }

// ServerACL is all that the server's roles may do.
func ServerACL() []Permission {
	var acl []Permission
	for _, filter := range ServerFilters() {
		acl = append(acl, Permission{Filter: filter, Subscribe: true})
	}
	for _, filter := range GatewayFilters("+", "+") {
		acl = append(acl, Permission{Filter: filter, Publish: true})
	}
	return append(acl,
		Permission{Filter: LiveFilter(), Publish: true, Subscribe: true},
		Permission{Filter: WakeFilter(), Publish: true, Subscribe: true})
}

package broker

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats-server/v2/server"

	"nirapod/wire"
)

// door lets clients in by user name and password, under a client id of their
// own, with their permissions.
type door func(username, password string) ([]wire.Permission, bool)

// Check implements server.Authentication.
func (d door) Check(c server.ClientAuthentication) bool {
	opts := c.GetOpts()
	if opts.Username == "" || opts.Password == "" {
		return false
	}
	clientID, ok := mqttClientID(c)
	if !ok || !wire.ClientAllowed(opts.Username, clientID) {
		return false
	}
	perms, ok := d(opts.Username, opts.Password)
	if !ok {
		return false
	}
	c.RegisterUser(&server.User{Username: opts.Username, Permissions: natsPermissions(perms)})
	return true
}

// mqttClientID finds the client id in the connection's description,
// `127.0.0.1:5000 - mid:7 - "padma/gw-1"`: NATS offers no other way, and
// without it a gateway could take another's id and have it disconnected.
func mqttClientID(c server.ClientAuthentication) (string, bool) {
	s, ok := c.(fmt.Stringer)
	if !ok {
		return "", false
	}
	_, quoted, found := strings.Cut(s.String(), ` - "`)
	if !found {
		return "", false
	}
	id, err := strconv.Unquote(`"` + quoted)
	return id, err == nil
}

// natsPermissions forbids all that perms does not name. An empty allow list
// would mean everything to NATS.
func natsPermissions(perms []wire.Permission) *server.Permissions {
	publish, subscribe := &server.SubjectPermission{}, &server.SubjectPermission{}
	for _, p := range perms {
		subject := natsSubject(p.Filter)
		if p.Publish {
			publish.Allow = append(publish.Allow, subject)
		}
		if p.Subscribe {
			subscribe.Allow = append(subscribe.Allow, subject)
		}
	}
	for _, p := range []*server.SubjectPermission{publish, subscribe} {
		if len(p.Allow) == 0 {
			p.Deny = []string{">"}
		}
	}
	return &server.Permissions{Publish: publish, Subscribe: subscribe}
}

// natsSubject turns a topic filter of this protocol, whose levels hold no
// dot, into a NATS subject.
func natsSubject(filter string) string {
	return strings.NewReplacer("/", ".", "+", "*", "#", ">").Replace(filter)
}

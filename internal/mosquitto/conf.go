// Package mosquitto keeps the files that give Mosquitto 2.0 the same door as
// the embedded broker: who gets in, and what each may do.
package mosquitto

import (
	"fmt"
	"path/filepath"
	"strings"

	"nirapod/wire"
)

// maxPacket leaves room for topic and headers around the largest pack. A
// client that sends more is disconnected.
const maxPacket = wire.MaxPack + 16<<10

// Conf is mosquitto.conf. It has two listeners, for Mosquitto can hold a client
// to its own client id only by putting the user name in its place, and the
// server's roles need several.
type Conf struct {
	Dir              string // of the files that Write keeps, as Mosquitto sees it
	Gateways, Server Listener
}

// Listener is one door.
type Listener struct {
	Host, Port string
	Cert, Key  string // both empty = plain TCP
}

// String returns the file's text.
func (c Conf) String() string {
	var b strings.Builder
	b.WriteString("per_listener_settings true\npersistence false\n")
	// Ingest takes thousands of packs at once after an outage.
	fmt.Fprintf(&b, "max_inflight_messages 1000\nmax_queued_messages 100000\nmax_packet_size %d\n", maxPacket)
	for _, l := range []struct {
		Listener
		passwords, more string
	}{{c.Gateways, gatewaysFile, "use_username_as_clientid true\n"}, {c.Server, serverFile, ""}} {
		fmt.Fprintf(&b, "\nlistener %s %s\nallow_anonymous false\npassword_file %s\nacl_file %s\n",
			l.Port, l.Host, filepath.Join(c.Dir, l.passwords), filepath.Join(c.Dir, aclFile))
		if l.Cert != "" {
			fmt.Fprintf(&b, "certfile %s\nkeyfile %s\n", l.Cert, l.Key)
		}
		b.WriteString(l.more)
	}
	return b.String()
}

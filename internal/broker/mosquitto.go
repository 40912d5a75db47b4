package broker

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"

	"nirapod/wire"
)

// The files of Mosquitto 2.0 that give it the same door as the embedded
// broker. It has two listeners, for it can hold a client to its own client id
// only by putting the user name in its place, and the server's roles need
// several.

// MosquittoConf is mosquitto.conf. Paths are as Mosquitto sees them.
type MosquittoConf struct {
	Gateways, Server MosquittoListener
	ACL              string // file of MosquittoACL blocks, for both
}

// MosquittoListener is one door.
type MosquittoListener struct {
	Host, Port string
	Passwords  string // file of MosquittoPassword lines: who may use this door
	Cert, Key  string // both empty = plain TCP
}

// String returns the file's text.
func (m MosquittoConf) String() string {
	var b strings.Builder
	b.WriteString("per_listener_settings true\npersistence false\n")
	// Ingest takes thousands of packs at once after an outage.
	fmt.Fprintf(&b, "max_inflight_messages 1000\nmax_queued_messages 100000\nmax_packet_size %d\n", maxPayload)
	for _, l := range []MosquittoListener{m.Gateways, m.Server} {
		fmt.Fprintf(&b, "\nlistener %s %s\nallow_anonymous false\npassword_file %s\nacl_file %s\n", l.Port, l.Host, l.Passwords, m.ACL)
		if l.Cert != "" {
			fmt.Fprintf(&b, "certfile %s\nkeyfile %s\n", l.Cert, l.Key)
		}
		if l == m.Gateways {
			b.WriteString("use_username_as_clientid true\n")
		}
	}
	return b.String()
}

// MosquittoACL returns the block of the access file for one user.
func MosquittoACL(user string, perms []wire.Permission) string {
	var b strings.Builder
	fmt.Fprintf(&b, "user %s\n", user)
	for _, p := range perms {
		access := "read"
		switch {
		case p.Publish && p.Subscribe:
			access = "readwrite"
		case p.Publish:
			access = "write"
		case !p.Subscribe:
			continue
		}
		fmt.Fprintf(&b, "topic %s %s\n", access, p.Filter)
	}
	return b.String()
}

// mosquittoRounds of PBKDF2: Mosquitto hashes on its one thread, so that many
// gateways that return at once wait for each other.
const mosquittoRounds = 1000

// MosquittoPassword returns the line of the password file for one user, with a
// random salt. Gateways' passwords are long and random.
func MosquittoPassword(user, password string) (string, error) {
	salt := make([]byte, 12)
	rand.Read(salt)
	hash, err := pbkdf2.Key(sha512.New, password, salt, mosquittoRounds, sha512.Size)
	if err != nil {
		return "", err
	}
	enc := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s:$7$%d$%s$%s\n", user, mosquittoRounds, enc(salt), enc(hash)), nil
}

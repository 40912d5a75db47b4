package mosquitto

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"

	"nirapod/wire"
)

// Users are all who may come in.
type Users struct {
	Secret   string // password of the server's roles
	Gateways []Gateway
}

// Gateway is a gateway's way in.
type Gateway struct {
	Factory, ID string
	Hash        string // of its password, from Hash
}

// rounds of PBKDF2: Mosquitto hashes on its one thread, so that many gateways
// that return at once wait for each other. It suffices because all these
// passwords are long and random.
const rounds = 1000

// Hash returns what Mosquitto's password file holds of a password, with a
// random salt.
func Hash(password string) string {
	salt := make([]byte, 12)
	rand.Read(salt)
	return hash(password, salt)
}

func hash(password string, salt []byte) string {
	key, err := pbkdf2.Key(sha512.New, password, salt, rounds, sha512.Size)
	if err != nil {
		panic(err) // only for costs that a standard forbids; these are constants
	}
	enc := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("$7$%d$%s$%s", rounds, enc(salt), enc(key))
}

// rehash returns Hash of password, and hash itself if it is one of them.
func rehash(old, password string) string {
	if parts := strings.Split(old, "$"); len(parts) == 5 {
		if salt, err := base64.StdEncoding.DecodeString(parts[3]); err == nil && hash(password, salt) == old {
			return old
		}
	}
	return Hash(password)
}

// line is a line of the password file.
func line(user, hash string) string { return user + ":" + hash + "\n" }

// ACL returns the block of the access file for one user.
func ACL(user string, perms []wire.Permission) string {
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

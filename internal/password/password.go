// Package password stores passwords as argon2id hashes in the PHC string
// format and checks them. The cost follows OWASP's smallest recommendation
// (19 MiB, 2 passes, 1 lane), which a Raspberry Pi class machine still bears.
package password

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// params are argon2id's costs. Memory is in KiB.
type params struct {
	memory, passes uint32
	lanes          uint8
}

func (p params) String() string {
	return fmt.Sprintf("m=%d,t=%d,p=%d", p.memory, p.passes, p.lanes)
}

var version = fmt.Sprintf("v=%d", argon2.Version)

var cost = params{memory: 19 * 1024, passes: 2, lanes: 1}

// A hash that asks for more than ceiling is not computed: it may come from a
// database that someone else wrote, and must not take the machine down.
var ceiling = params{memory: 64 * 1024, passes: 8, lanes: 4}

const (
	saltSize, keySize = 16, 32
	maxHash           = 256 // characters of a PHC string
)

// working bounds how many hashes are computed at a time, so that a flood of
// logins cannot take all memory: 19 MiB each.
var working = make(chan struct{}, 4)

// Hash returns a PHC string for the password with a fresh random salt. It
// takes some 20 ms and 19 MiB; it is safe for concurrent use.
func Hash(password string) string {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$%s$%s$%s$%s", version, cost, encode(salt), encode(derive(password, salt, cost, keySize)))
}

// Verify reports whether password is the one that hash was made from. A hash
// that is malformed, or more costly than 64 MiB, 8 passes or 4 lanes, matches
// nothing. Verify("", password) takes as long as a real check: use it where
// there is no such user, so that time does not tell which names exist. Safe
// for concurrent use.
func Verify(hash, password string) bool {
	p, salt, want, ok := parse(hash)
	if !ok {
		p, salt, want = cost, make([]byte, saltSize), make([]byte, keySize)
	}
	got := derive(password, salt, p, len(want))
	return subtle.ConstantTimeCompare(got, want) == 1 && ok
}

func derive(password string, salt []byte, p params, size int) []byte {
	working <- struct{}{}
	defer func() { <-working }()
	return argon2.IDKey([]byte(password), salt, p.passes, p.memory, p.lanes, uint32(size))
}

func parse(hash string) (p params, salt, key []byte, ok bool) {
	parts := strings.Split(hash, "$")
	if len(hash) > maxHash || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return params{}, nil, nil, false
	}
	_, costErr := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes)
	salt, saltErr := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	ok = parts[2] == version && parts[3] == p.String() &&
		costErr == nil && saltErr == nil && keyErr == nil && len(salt) >= 8 &&
		len(key) >= 16 && p.within(ceiling)
	return p, salt, key, ok
}

// within reports whether p is a valid choice of costs, none above limit.
// Argon2 needs at least 8 KiB for each lane.
func (p params) within(limit params) bool {
	return p.passes >= 1 && p.passes <= limit.passes &&
		p.lanes >= 1 && p.lanes <= limit.lanes &&
		p.memory >= 8*uint32(p.lanes) && p.memory <= limit.memory
}

// Package freeport finds addresses for servers that tests start, and start
// again, on the same port.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Below the ports that Linux hands out by itself (ip_local_port_range), so that
// nobody who asks for any port gets one while its server is down.
const (
	first = 20_000
	last  = 31_999
)

// Address returns an address on loopback that nobody listens on.
func Address(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(last-first+1))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatalf("no free port from %d to %d", first, last)
	return ""
}

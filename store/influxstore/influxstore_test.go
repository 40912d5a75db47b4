package influxstore

import (
	"fmt"
	"log/slog"
	"testing"

	"nirapod/internal/influxtest"
	"nirapod/store"
	"nirapod/store/storetest"
)

var discard = slog.New(slog.DiscardHandler)

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o, discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func optionsOf(server *influxtest.Server, database string) Options {
	return Options{URL: server.URL, Token: server.Token, Bucket: influxtest.Bucket(database)}
}

// Starting a server costs five seconds of processor time, so most tests share
// one and have a database of their own.
func TestOnOneServer(t *testing.T) {
	server := influxtest.Start(t)
	for i, c := range []struct {
		name string
		run  func(t *testing.T, server *influxtest.Server, o Options)
	}{
		{"contract", testContract},
		{"pages", testPages},
		{"requests", testRequests},
		{"the worst of several qualities is told", testWorst},
		{"an answer cut short is an error", testCutShort},
		{"an answer that stands still is an error", testStandsStill},
		{"what is beyond retention is named", testBeyondRetention},
		{"a type conflict is no refusal", testTypeConflict},
		{"names round trip", testNames},
		{"minutes", testMinutes},
	} {
		t.Run(c.name, func(t *testing.T) {
			database := fmt.Sprintf("test-%d", i)
			server.CreateDatabase(database)
			c.run(t, server, optionsOf(server, database))
		})
	}
}

func TestOnAServerThatAsksForATokenAndIsKilled(t *testing.T) {
	server := influxtest.StartClosed(t)
	t.Run("errors say what to do", func(t *testing.T) { testErrors(t, optionsOf(server, influxtest.Database)) })
	t.Run("kill -9", func(t *testing.T) { testKill9(t, server) })
}

// The contract says directory; here it is a database.
func testContract(t *testing.T, server *influxtest.Server, _ Options) {
	databases := map[string]string{}
	storetest.Run(t, func(t *testing.T, dir string) store.Store {
		name, known := databases[dir]
		if !known {
			name = fmt.Sprintf("contract-%d", len(databases))
			databases[dir] = name
			server.CreateDatabase(name)
		}
		return open(t, optionsOf(server, name))
	})
}

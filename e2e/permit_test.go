package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"nirapod/app/demo"
	"nirapod/safety"
	"nirapod/state"
)

// A permit is given while the gateway is away, and the server is killed before
// anything else happens. The gateway hears of it when it comes, forgets nothing
// when it is killed, and does not see the smoke of the work; heat it does. When
// the permit is ended both see the smoke that is still there.
func TestAPermitThroughKills(t *testing.T) {
	t.Parallel()
	p := newPlant(t, plantOptions{scenario: "smoulder"})
	p.broker.start()
	p.server.start()
	c := p.committee()
	var permit safety.PermitRecord
	err := c.ask(http.MethodPost, "/api/v1/sensors/store-smoke/isolate", map[string]any{
		"zone_id": "store", "work": safety.HotWork, "issued_by": "Rahim", "accepted_by": "Salma", "watch": "Karim",
		"until": time.Now().Add(time.Hour), "reason": "welding a rail",
	}, &permit)
	if err != nil {
		t.Fatal(err)
	}
	p.server.kill()
	p.server.start()
	p.sim.start()
	p.agent.start()
	p.saysOnce("sensor-isolated", demo.Gateway, safety.Firing)
	p.saysOnce("sensor-isolated", safety.ServerSource, safety.Firing)
	eventually(t, time.Minute, "the gateway's word on the permit", func() error {
		err := c.ask(http.MethodGet, "/api/v1/permits/"+permit.ID, nil, &permit)
		if err == nil && (permit.AppliedAt == nil || !slices.Equal(permit.TakenBy, []string{demo.Gateway})) {
			err = errNotYet
		}
		return err
	})
	p.agent.kill()
	p.server.kill()
	p.agent.start()
	p.server.start()
	eventually(t, 4*time.Minute, "heat that no permit hides", func() error {
		for _, tr := range p.transitions() {
			if tr.Zone == "store" && tr.Rule == "heat-rise" && tr.To == safety.Firing || tr.Rule == "heat-static" && tr.To == safety.Firing {
				return nil
			}
		}
		return errNotYet
	})
	for _, tr := range p.transitions() {
		if tr.Sensor == "store-smoke" && tr.Rule == "smoke" && tr.To == safety.Firing {
			t.Errorf("smoke under the permit is told by %s at %v", tr.Source, tr.At)
		}
	}
	c = p.committee()
	if err := c.ask(http.MethodPost, "/api/v1/permits/"+permit.ID+"/end", nil, &permit); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{demo.Gateway, safety.ServerSource} {
		p.saysOnce("smoke", source, safety.Firing)
		p.saysOnce("sensor-untested", source, safety.Firing)
	}
	if err := c.ask(http.MethodPost, "/api/v1/sensors/store-smoke/tested", nil, nil); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{demo.Gateway, safety.ServerSource} {
		p.saysOnce("sensor-untested", source, safety.Inactive)
		p.saysOnce("sensor-isolated", source, safety.Firing)
	}
}

func (p *plant) committee() *client {
	p.t.Helper()
	c := newClient(p.httpAddr)
	c.ready(p.t)
	if err := c.logIn("committee", userPassword); err != nil {
		p.t.Fatal(err)
	}
	return c
}

func (p *plant) transitions() []safety.Transition {
	p.t.Helper()
	db, err := state.Open(p.t.Context(), p.file("data"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	all, err := db.TransitionsAfter(p.t.Context(), 0, 100_000)
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

// saysOnce waits until a source has said something of the isolated sensor, and
// wants it to have said it once. What began unknown does not count.
func (p *plant) saysOnce(rule, source string, to safety.State) {
	p.t.Helper()
	eventually(p.t, time.Minute, fmt.Sprintf("%s is %v by %s", rule, to, source), func() error {
		said := 0
		for _, tr := range p.transitions() {
			begins := tr.From == safety.Unknown && tr.To == safety.Inactive
			if tr.Rule == rule && tr.Sensor == "store-smoke" && tr.Source == source && tr.To == to && !begins {
				said++
			}
		}
		if said > 1 {
			p.t.Fatalf("%s is %v by %s %d times", rule, to, source, said)
		}
		if said == 0 {
			return errNotYet
		}
		return nil
	})
}

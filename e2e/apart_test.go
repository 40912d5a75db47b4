package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"nirapod/app/demo"
	"nirapod/safety"
)

// Each role in a process of its own, over Mosquitto and InfluxDB: the alarm is
// on the page, with the readings behind it, and is acknowledged there.
func TestRolesApart(t *testing.T) {
	t.Parallel()
	p := newPlant(t, plantOptions{scenario: "smoulder", outside: true})
	for _, roles := range []string{"ingest", "alerts,desk", "dashboard"} {
		spawn(t, p.dir, roles, "nirapod", nil, "serve", "-c", p.file("server.yaml"), "-roles", roles).start()
	}
	p.broker.start()
	p.sim.start()
	p.agent.start()
	c := newClient(p.httpAddr)
	c.ready(t)
	if err := c.logIn("committee", userPassword); err != nil {
		t.Fatal(err)
	}
	var smoke safety.Alert
	eventually(t, 3*time.Minute, "the smoke alarm on the page", func() (err error) {
		smoke, err = only(c, "smoke", "store-smoke")
		return err
	})
	var page struct {
		Items []struct{ Value *float64 }
	}
	span := fmt.Sprintf("&from=%s&to=%s", smoke.OccurredAt.Add(-time.Minute).Format(time.RFC3339), smoke.OccurredAt.Add(time.Minute).Format(time.RFC3339))
	eventually(t, time.Minute, "readings from InfluxDB", func() error {
		err := c.ask(http.MethodGet, "/api/v1/readings?factory="+demo.Factory+"&sensor=store-smoke"+span, nil, &page)
		if err == nil && len(page.Items) == 0 {
			err = errNotYet
		}
		return err
	})
	if err := c.ask(http.MethodPost, "/api/v1/alerts/"+smoke.ID+"/ack", nil, &smoke); err != nil || smoke.AcknowledgedAt == nil {
		t.Errorf("acknowledged at %v, %v", smoke.AcknowledgedAt, err)
	}
	eventually(t, time.Minute, "a received notice", func() error {
		received, err := c.received()
		if len(received) == 0 {
			err = errors.Join(err, errNotYet)
		}
		return err
	})
}

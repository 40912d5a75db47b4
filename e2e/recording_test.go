package e2e

import (
	"fmt"
	"os"
	"testing"
	"time"
)

const homeFire = "../../shared/data/nist-exp/NIST_Smoke_Alarms/NIST_Smoke_Alarms_SDC02.csv"

// A recorded home fire drives the registers at its own pace, through the whole
// path: siren, alarm, notice received, and every value that the agent accepted
// is in the store.
func TestRecordedHomeFire(t *testing.T) {
	if _, err := os.Stat(homeFire); err != nil {
		t.Skipf("the recording is not here: %v", err)
	}
	t.Parallel()
	p := newPlant(t, plantOptions{scenario: "home-fire", simArgs: []string{"-recording", homeFire}})
	p.broker.start()
	p.server.start()
	c := newClient(p.httpAddr)
	c.ready(t)
	if err := c.logIn("committee", userPassword); err != nil {
		t.Fatal(err)
	}
	p.sim.start()
	p.agent.start()
	begin := time.Now()
	world := p.world()
	eventually(t, 6*time.Minute, "evacuation", func() error {
		siren, err := world.Output("SIM_SOUNDER")
		if err == nil && !siren.Level {
			err = errNotYet
		}
		if err == nil {
			t.Logf("sounder at %v of the recording", siren.FirstOnAt.Round(100*time.Millisecond))
		}
		return err
	})
	eventually(t, 6*time.Minute, "a received notice", func() error {
		received, err := c.received()
		if err == nil && len(received) != 1 {
			err = fmt.Errorf("%d received notices, want 1", len(received))
		}
		return err
	})
	t.Logf("notice received %v after the start", time.Since(begin).Round(time.Second))
	alerts, err := c.alerts()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range alerts {
		t.Logf("%s %s at %s%s, %v after the start", a.Class, a.Rule, a.ZoneID, a.SensorID, a.OccurredAt.Sub(begin).Round(100*time.Millisecond))
	}
	p.agent.stop()
	last := readJournal(t, p.journal)
	p.agent.start()
	eventually(t, time.Minute, "everything accepted is committed", func() error { return p.covered(t.Context(), last) })
	p.agent.kill()
	p.server.stop()
	p.compare(last, readJournal(t, p.journal))
}

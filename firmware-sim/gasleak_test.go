package sim_test

import (
	"testing"
	"time"

	"nirapod/safety"
)

func TestGasLeakPassesBothStagesAndItsOwnFault(t *testing.T) {
	w := watching(t, "gas-leak")
	w.until(6 * time.Minute)
	t.Logf("%v", w.alarms())
	between(t, "first stage", w.first("co-first-stage", "boiler-co", safety.Firing), 55*time.Second, 75*time.Second)
	between(t, "second stage", w.first("co-second-stage", "boiler-co", safety.Firing), 110*time.Second, 140*time.Second)
	between(t, "fault of the transmitter", w.first("sensor-fault", "boiler-co", safety.Firing), 4*time.Minute, 4*time.Minute+2*time.Second)
	between(t, "second stage goes blind", w.first("co-second-stage", "boiler-co", safety.Unknown), 4*time.Minute, 4*time.Minute+time.Second)
	if at := w.first("co-second-stage", "boiler-co", safety.Inactive); at > time.Minute {
		t.Errorf("the latched alarm ended by itself at %v", at)
	}
	for rule, at := range w.alarms() {
		if rule != "co-first-stage boiler-co" && rule != "co-second-stage boiler-co" {
			t.Errorf("%s alarmed at %v: nothing burns and nobody else has gas", rule, at)
		}
	}
}

// A failed transmitter in alarm is believed again only after it agreed for ten
// minutes: the first stage stands however clean the air reads.
func TestGasLeakIsNotOverBecauseTheTransmitterCameBack(t *testing.T) {
	w := watching(t, "gas-leak")
	w.until(5 * time.Minute)
	fired := w.first("co-first-stage", "boiler-co", safety.Firing)
	w.until(14 * time.Minute)
	for _, tr := range w.told {
		if tr.Rule == "co-first-stage" && tr.To == safety.Inactive && tr.At.Sub(w.begun) > fired {
			t.Errorf("the first stage ended at %v, with the channel in quarantine until 15m", tr.At.Sub(w.begun))
		}
	}
}

package rules_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"nirapod/rules"
	"nirapod/safety"
)

const silent = `
  - {name: silent, hazard: system, class: fault, severity: warning, scope: sensor, quantity: any, runs: [gateway, server], clause: c,
     when: missing, for: 10s, keep_firing_for: 10s}
`

// life is a gateway gw-1 with a sensor that is watched, every 60 s, and a
// witness, every second, as a server's engine or its own follows them.
type life struct {
	t     *testing.T
	packs []rules.Pack
	own   bool
	e     *rules.Engine
	store map[string][]byte
	runs  int
	now   int // s
	told  []string
}

func newLife(t *testing.T, own bool) *life {
	l := &life{t: t, packs: packOf(t, silent), own: own, store: map[string][]byte{}}
	l.bind()
	l.boot()
	return l
}

func (l *life) bind() {
	slow, fast := ofGateway(sensorOf("slow", safety.CO), "gw-1"), ofGateway(sensorOf("fast", safety.CO), "gw-1")
	slow.Period, fast.Period = time.Minute, time.Second
	as, source := rules.Server, safety.ServerSource
	if l.own {
		as, source = rules.Gateway, "gw-1"
	}
	var err error
	l.e, err = rules.New(l.packs, rules.Plant{Factory: "f", Zones: []safety.Zone{{ID: "z"}}, Sensors: []safety.Sensor{slow, fast}}, as, source)
	if err != nil {
		l.t.Fatal(err)
	}
	if dropped := l.e.Restore(l.store); len(dropped) > 0 {
		l.t.Fatal(dropped)
	}
}

// restart is kill -9 of who follows, and its start.
func (l *life) restart() {
	maps.Copy(l.store, l.e.Snapshot())
	l.bind()
}

func (l *life) boot() { l.runs++ }

// speaks lets the gateway run for so many seconds, its slow sensor being alive or dead.
func (l *life) speaks(seconds int, alive bool) {
	for i := range seconds {
		at := start.Add(time.Duration(l.now) * time.Second)
		for _, id := range []string{"fast", "slow"} {
			if id == "slow" && (!alive || i%60 != 0) {
				continue
			}
			l.e.Begin("gw-1", fmt.Sprint(l.runs), at)
			l.hear(l.e.Observe(safety.Reading{Sensor: id, At: at, Quality: safety.Good, Value: 1}))
		}
		l.now++
	}
	l.hear(l.e.Tick(start.Add(time.Duration(l.now)*time.Second - time.Millisecond)))
}

// dark lets time pass without power: on a server it is told, to the gateway's
// own engine nobody tells it.
func (l *life) dark(seconds int) {
	l.now += seconds
	if !l.own {
		l.hear(l.e.Tick(start.Add(time.Duration(l.now)*time.Second - time.Millisecond)))
	}
}

func (l *life) hear(ts []safety.Transition) {
	for _, tr := range ts {
		if tr.From == safety.Unknown && tr.To == safety.Inactive {
			continue
		}
		l.told = append(l.told, fmt.Sprintf("%v %s %v", tr.At.Sub(start), tr.Sensor, tr.To))
	}
}

func (l *life) wants(want ...string) {
	l.t.Helper()
	if got := fmt.Sprint(l.told); got != fmt.Sprint(want) {
		l.t.Errorf("told %v\nwant %v", l.told, want)
	}
}

// The slow sensor is stale after 180 s. A gateway without power is no silence of it.
func TestTheSilenceOfAGatewayIsNotThatOfItsSensors(t *testing.T) {
	t.Run("a reboot raises nothing", func(t *testing.T) {
		l := newLife(t, false)
		for range 20 {
			l.speaks(61, true)
			l.dark(500)
			l.boot()
		}
		l.wants()
	})
	t.Run("what stays silent after it is missing once the gateway has run for three periods", func(t *testing.T) {
		l := newLife(t, false)
		l.speaks(61, true) // the newest word of slow is at 60 s
		l.dark(539)
		l.boot()
		l.speaks(300, false) // from 600 s; the pause counts a second, so that 179 s are left
		l.wants("13m0s slow pending", "13m10s slow firing")
	})
	t.Run("wherever the server is killed", func(t *testing.T) {
		l := newLife(t, false)
		l.speaks(61, true)
		l.dark(539)
		l.restart()
		l.boot()
		l.speaks(1, false)
		l.restart()
		l.speaks(299, false)
		l.wants("13m0s slow pending", "13m10s slow firing")
	})
	t.Run("what is told stays told, and its hold goes on", func(t *testing.T) {
		l := newLife(t, false)
		l.speaks(1, true)
		l.speaks(190, false) // stale after 180 s, seen at 181 s
		l.dark(400)
		l.boot()
		l.speaks(400, false)
		l.wants("3m1s slow pending", "3m11s slow firing")
		l.speaks(1, true)
		l.speaks(11, false)
		l.wants("3m1s slow pending", "3m11s slow firing", "16m41s slow inactive")
	})
	t.Run("a gateway that starts every minute hides nothing for good", func(t *testing.T) {
		l := newLife(t, false)
		l.speaks(1, true)
		for range 60 {
			l.dark(45)
			l.boot()
			l.speaks(15, false)
		}
		// Of each minute count the 14 s that it is known to have run, and one for the pause.
		l.wants("12m46s slow pending", "12m56s slow firing")
	})
	t.Run("the same run again is no reboot", func(t *testing.T) {
		l := newLife(t, false)
		l.speaks(1, true)
		l.dark(199)
		l.speaks(20, false)
		l.wants("3m20s slow pending", "3m30s slow firing")
	})
	t.Run("an older run says nothing", func(t *testing.T) {
		l := newLife(t, false)
		l.speaks(1, true)
		l.speaks(100, false)
		if l.e.Begin("gw-1", "old", start) {
			t.Error("it was news")
		}
		l.speaks(100, false)
		l.wants("3m1s slow pending", "3m11s slow firing")
	})
	t.Run("its own engine knows that it runs", func(t *testing.T) {
		l := newLife(t, true)
		l.speaks(1, true)
		l.hear(l.e.Tick(start.Add(4 * time.Minute)))
		l.wants("3s fast pending", "13s fast firing", "3m0s slow pending", "3m10s slow firing")
	})
}

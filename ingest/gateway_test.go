package ingest

import (
	"strings"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

// told lists the faults on the disk as "rule:state at seconds after day".
func told(d *disk) string {
	var out []string
	for _, t := range d.transitions {
		out = append(out, t.Rule+":"+t.To.String()+"@"+t.At.Sub(day).String())
	}
	return strings.Join(out, " ")
}

func TestSilence(t *testing.T) {
	d := newDisk(testSite("padma", 1, "gw-1"))
	c := d.boot(t)
	pass := func(from, to time.Duration, linked bool) {
		for at := from; at <= to; at += time.Second {
			c.tick(day.Add(at), linked)
			d.flush(c, day.Add(at), nowhere, true)
		}
	}
	hear := func(at time.Duration, seq uint64) {
		p := readings(seq, 1)
		p.Records[0].At = day.Add(at)
		give(t, c, p, day.Add(at))
		d.flush(c, day.Add(at), nowhere, true)
	}
	want := ""
	check := func(what, more string) {
		t.Helper()
		want = strings.TrimSpace(want + " " + more)
		if got := told(d); got != want {
			t.Fatalf("%s: told %q, want %q", what, got, want)
		}
	}
	hear(0, 1)
	pass(0, 59*time.Second, true)
	check("59 s of silence are a generator that takes over", "")
	pass(60*time.Second, 200*time.Second, true)
	check("60 s are one fault", "gateway-offline:firing@1m0s")
	c = d.boot(t)
	pass(201*time.Second, 400*time.Second, true)
	check("a restart tells it no second time", "")
	hear(401*time.Second, 2)
	pass(401*time.Second, 402*time.Second, true)
	check("a word ends it", "gateway-offline:inactive@6m41s")
	pass(403*time.Second, 500*time.Second, false)
	check("without a broker the server knows nothing of its gateways", "broker-lost:firing@7m42s")
	pass(501*time.Second, 505*time.Second, true)
	check("the broker is back", "broker-lost:inactive@8m21s")
	pass(506*time.Second, 600*time.Second, true)
	check("the gateway is not", "gateway-offline:firing@8m50s")
	c.clockWrong = true
	pass(601*time.Second, 602*time.Second, true)
	check("the server's clock jumped", "server-clock:firing@10m1s")
	c.clockWrong = false
	pass(603*time.Second, 603*time.Second, true)
	check("and was set right", "server-clock:inactive@10m3s")
}

func TestAGatewayThatIsRemovedIsNotMissed(t *testing.T) {
	d := newDisk(testSite("padma", 1, "gw-1", "gw-2"))
	c := d.boot(t)
	c.tick(day, true)
	c.tick(day.Add(time.Minute), true)
	d.flush(c, day.Add(time.Minute), nowhere, true)
	c.reg = newRegistry(2, []safety.Site{testSite("padma", 1, "gw-2")})
	c.dismiss(day.Add(2 * time.Minute))
	c.tick(day.Add(2*time.Minute), true)
	d.flush(c, day.Add(2*time.Minute), nowhere, true)
	if got := told(d); got != "gateway-offline:firing@1m0s gateway-offline:firing@1m0s gateway-offline:inactive@2m0s" {
		t.Errorf("told %q", got)
	}
}

func TestRefusalsEnd(t *testing.T) {
	d := newDisk(testSite("padma", 1, "gw-1"))
	c := d.boot(t)
	for n := range 3 {
		p := readings(uint64(n+1), 1)
		p.Records[0].Reading.Sensor = "nobody"
		give(t, c, p, day.Add(time.Duration(n)*time.Minute))
	}
	if got := c.gateways[gatewayKey{"padma", "gw-1"}].status.UnknownSensors; len(got) != 1 || got[0] != "nobody" {
		t.Errorf("unknown sensors %v", got)
	}
	d.flush(c, day.Add(2*time.Minute), nowhere, true)
	c = d.boot(t)
	for at := 3 * time.Minute; at <= 20*time.Minute; at += time.Second {
		p := readings(uint64(at/time.Second), 1)
		p.Records[0].At = day.Add(at)
		give(t, c, p, day.Add(at))
		c.tick(day.Add(at), true)
		d.flush(c, day.Add(at), nowhere, true)
	}
	if got := told(d); got != "gateway-refused:firing@0s gateway-refused:inactive@13m1s" {
		t.Errorf("told %q", got)
	}
}

// The last will of an older run says nothing about the one that lives.
func TestPresence(t *testing.T) {
	d := newDisk(testSite("padma", 1, "gw-1"))
	c := d.boot(t)
	give(t, c, readings(1, 1), day.Add(time.Second))
	g := c.gateways[gatewayKey{"padma", "gw-1"}]
	for _, s := range []struct {
		run    string
		online bool
		want   bool
	}{{"00000000000000bb", false, true}, {testRun, false, false}, {testRun, true, true}} {
		payload, err := wire.EncodePresence(wire.Presence{Run: s.run, Online: s.online, At: day})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.take(t.Context(), wire.PresenceTopic("padma", "gw-1").String(), payload, day); err != nil {
			t.Fatal(err)
		}
		if g.status.Online != s.want {
			t.Errorf("after %+v online is %v", s, g.status.Online)
		}
	}
}

// While the series store does not answer, nothing of readings is committed, and
// people are told all the same.
func TestStoreOutage(t *testing.T) {
	d := newDisk(testSite("padma", 1, "gw-1"))
	c, now := d.boot(t), day.Add(time.Minute)
	give(t, c, readings(1, 3), now)
	give(t, c, alarms(1, 1), now)
	commits, _ := d.flush(c, now, nowhere, false)
	if len(d.transitions) != 1 || len(d.samples) != 0 {
		t.Fatalf("told %q, stored %v", told(d), d.samples)
	}
	for _, m := range commits {
		if want := map[wire.Stream]uint64{wire.Readings: 0, wire.Alarms: 1}[m.key.stream]; m.commit.Upto != want {
			t.Errorf("stream %s committed up to %d, want %d", m.key.stream, m.commit.Upto, want)
		}
	}
	give(t, c, readings(4, 2), now)
	if commits, _ = d.flush(c, now, nowhere, true); len(commits) != 1 || commits[0].commit.Upto != 5 || len(d.samples) != 5 {
		t.Errorf("after the outage: commits %+v, %d samples", commits, len(d.samples))
	}
	c = d.boot(t)
	if got := c.tracks[trackKey{"padma", "gw-1", testRun, wire.Readings}].durable.upto; got != 5 {
		t.Errorf("the state knows %d", got)
	}
}

// Beyond a bound readings are evaluated and forgotten: they come again.
func TestStoreOutageIsBounded(t *testing.T) {
	d := newDisk(testSite("padma", 1, "gw-1"))
	c, now := d.boot(t), day.Add(40*time.Hour)
	for seq := uint64(1); seq < 130_000; seq += 1000 {
		give(t, c, readings(seq, 1000), now)
		d.flush(c, now, nowhere, false)
	}
	if n := len(c.batch.samples); n < maxWaiting || n > maxWaiting+1000 {
		t.Fatalf("%d samples wait", n)
	}
	d.flush(c, now, nowhere, true)
	key := trackKey{"padma", "gw-1", testRun, wire.Readings}
	for seq := d.seqs[key].upto + 1; seq < 130_000; seq += 1000 {
		give(t, c, readings(seq, 1000), now)
	}
	d.flush(c, now, nowhere, true)
	if d.seqs[key].upto != 130_000 || len(d.samples) != 130_000 {
		t.Errorf("committed up to %d, %d samples", d.seqs[key].upto, len(d.samples))
	}
}

// The rules' clock trails by what packs take to arrive, not by an outage.
func TestLag(t *testing.T) {
	d := newDisk(testSite("padma", 1, "gw-1"))
	c := d.boot(t)
	seq := uint64(0)
	hear := func(at, way time.Duration) {
		seq++
		p := readings(seq, 1)
		p.Records[0].At = day.Add(at)
		give(t, c, p, day.Add(at+way))
		c.tick(day.Add(at+way), true)
	}
	for s := range 60 {
		hear(time.Duration(s)*time.Second, 400*time.Millisecond)
	}
	if got := c.lag("padma"); got != 1400*time.Millisecond {
		t.Errorf("a pack a second, 400 ms under way: the rules trail by %v", got)
	}
	for s := 60; s < 3600; s++ {
		c.tick(day.Add(time.Duration(s)*time.Second), true)
	}
	if got := c.lag("padma"); got != 0 {
		t.Errorf("a silent gateway holds the rules back by %v", got)
	}
	hear(time.Hour, 0)
	hear(time.Hour+time.Second, 0)
	if got := c.lag("padma"); got > 2*time.Second {
		t.Errorf("after an outage the rules trail by %v", got)
	}
}

func TestUnknownIsBounded(t *testing.T) {
	d := newDisk(testSite("padma", 1, "gw-1"))
	c := d.boot(t)
	for i := range 2 * maxStrangers {
		c.stranger(wire.Topic{Factory: "padma", Gateway: sensorID("gw", i)}, day)
	}
	g := newGateway(gatewayKey{"padma", "gw-1"}, day)
	for i := range 2 * maxUnknown {
		g.unknownSensor(sensorID("gw", i))
	}
	if len(c.strangers) != maxStrangers || len(g.status.UnknownSensors) != maxUnknown {
		t.Errorf("%d strangers, %d sensors", len(c.strangers), len(g.status.UnknownSensors))
	}
}

package ingest

import (
	"time"

	"nirapod/safety"
	"nirapod/wire"
)

// live holds the newest reading of each sensor that had one since the last
// time it was sent: by factory, then sensor.
type live map[string]map[string]wire.LiveReading

func (l live) put(factory, gateway string, r safety.Reading) {
	if l[factory] == nil {
		l[factory] = map[string]wire.LiveReading{}
	}
	if before, known := l[factory][r.Sensor]; known && before.Reading.At.After(r.At) {
		return
	}
	l[factory][r.Sensor] = wire.LiveReading{Gateway: gateway, Reading: r}
}

// send empties l into messages of a size that can be sent.
func (l live) send(now time.Time, publish func(factory string, m wire.Live)) {
	for factory, sensors := range l {
		m := wire.Live{At: now.UTC().Truncate(time.Millisecond)}
		for _, r := range sensors {
			if m.Readings = append(m.Readings, r); len(m.Readings) == wire.MaxLive {
				publish(factory, m)
				m.Readings = nil
			}
		}
		if len(m.Readings) > 0 {
			publish(factory, m)
		}
		delete(l, factory)
	}
}

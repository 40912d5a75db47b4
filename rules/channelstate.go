package rules

import (
	"encoding/binary"
	"errors"
	"strings"
)

// save writes a version, the gateway's run, then per sensor its id and what
// cannot be had from its readings again.
func (c *channels) save() []byte {
	b := make([]byte, 0, 40+56*len(c.sensors))
	b = appendText(append(b, 2), c.run)
	for _, s := range c.sensors {
		b = appendText(b, s.spec.ID)
		b = append(b, bit(s.stale)|bit(s.quarantine.on)<<1|bit(s.missing)<<2, byte(s.badPolls))
		b = appendMoments(b, s.at, s.heard, s.quarantine.agreeing, s.quarantine.from, s.quarantine.to, s.from)
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// appendMoments writes ms since 1970, plus one; 0 is never.
func appendMoments(b []byte, moments ...int64) []byte {
	for _, ms := range moments {
		if ms == never {
			ms = -1
		}
		b = binary.AppendVarint(b, ms+1)
	}
	return b
}

var errBlob = errors.New("unreadable state of the channels")

// loadSensors reads what saveTimes and save wrote, and what they once did:
// version 1 knew no runs, and had both in one. Of two states of a sensor, which
// changed its gateway, the newer counts.
func (e *Engine) loadSensors(key string, b []byte) error {
	if len(b) == 0 || b[0] != 1 && b[0] != 2 {
		return errBlob
	}
	version, b := b[0], b[1:]
	if version == 1 {
		b = e.loadTimes(b)
	} else {
		b = e.loadRun(strings.TrimPrefix(key, ofGateway), b)
	}
	for len(b) > 0 {
		b = e.loadSensor(b, version)
	}
	if b == nil {
		return errBlob
	}
	return nil
}

func (e *Engine) loadTimes(b []byte) []byte {
	var start, now int64
	if b = readMoments(b, &start, &now); b != nil && start != never {
		e.start, e.now = start, now
	}
	return b
}

func (e *Engine) loadRun(gateway string, b []byte) []byte {
	c := e.channelsOf(gateway)
	if c == nil {
		c = &channels{}
	}
	run, b, _ := readText(b)
	c.run = run
	return b
}

func (e *Engine) loadSensor(b []byte, version byte) []byte {
	id, b, ok := readText(b)
	if !ok || len(b) < 2 {
		return nil
	}
	s := e.sensors[id]
	var at int64
	if readMoments(b[2:], &at); s == nil || at < s.at {
		s = &sensor{} // gone from the site, or older
	}
	marks, polls := b[0], b[1]
	s.stale, s.quarantine.on, s.missing, s.badPolls = marks&1 != 0, marks&2 != 0, marks&4 != 0, min(int(polls), maxBadPolls)
	b = readMoments(b[2:], &s.at, &s.heard, &s.quarantine.agreeing, &s.quarantine.from, &s.quarantine.to)
	if s.from = s.at; version == 2 && b != nil {
		b = readMoments(b, &s.from)
	}
	s.seen = s.at
	e.move(s)
	return b
}

func readMoments(b []byte, into ...*int64) []byte {
	for _, ms := range into {
		v, size := binary.Varint(b)
		if size <= 0 {
			return nil
		}
		*ms, b = v-1, b[size:]
		if v == 0 {
			*ms = never
		}
	}
	return b
}

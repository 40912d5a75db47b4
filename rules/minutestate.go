package rules

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// minutesKey begins the keys of minutes: of the open one of a track, and after
// it, by slot, of the closed ones of an hour. What happened hours ago cannot
// be had from readings again after a restart, least of all on a gateway.
const minutesKey = "minutes/"

const openUnkept = 1 << 31

// hourSlot returns under which number an hour is saved: one more slot than
// hours can be in the ring.
func (t *track) hourSlot(hour int64) int64 { return hour % int64(len(t.low)/60+2) }

func (t *track) key(s *sensor) string { return minutesKey + s.spec.ID + "/" + t.meter.String() }

// putMinutes adds what changed, or all, of the minutes of these channels.
func (c *channels) putMinutes(out map[string][]byte, all bool) {
	for _, s := range c.sensors {
		for _, t := range s.tracks {
			if t != nil && t.open.number != never {
				t.put(s, out, all)
			}
		}
	}
}

func (t *track) put(s *sensor, out map[string][]byte, all bool) {
	key := t.key(s)
	if all || t.unkept&openUnkept != 0 {
		out[key] = t.saveOpen(s)
	}
	newest := t.open.number / 60
	for hour := max(0, newest-int64(len(t.low))/60-1); hour <= newest; hour++ {
		if slot := t.hourSlot(hour); all || t.unkept&(1<<slot) != 0 {
			if blob := t.saveHour(s, hour); blob != nil {
				out[fmt.Sprintf("%s/%d", key, slot)] = blob
			}
		}
	}
	t.unkept = 0
}

func (t *track) head(s *sensor, kind byte) []byte {
	b := []byte{1, kind}
	for _, text := range []string{s.spec.ID, t.meter.String()} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return b
}

func (t *track) saveOpen(s *sensor) []byte {
	b := t.head(s, 'o')
	for _, n := range []int64{t.open.number, t.open.micro, t.open.n, int64(bit(t.open.doubt))} {
		b = binary.AppendVarint(b, n)
	}
	return appendMoments(b, t.real[0], t.real[1])
}

// saveHour writes the closed minutes of an hour from the first that the ring
// still has, or nil if it has none.
func (t *track) saveHour(s *sensor, hour int64) []byte {
	first := max(hour*60, t.open.number-int64(len(t.low)))
	end := min(hour*60+60, t.open.number)
	if first >= end {
		return nil
	}
	b := binary.AppendVarint(t.head(s, 'h'), first)
	for n := first; n < end; n++ {
		b = append(binary.AppendVarint(b, int64(t.low[t.slot(n)])), t.mark[t.slot(n)])
	}
	return b
}

var errMinutes = errors.New("unreadable minutes")

var errUnasked = errors.New("no rule asks for these minutes any more")

// loadMinutes reads what put wrote. The open minute of a track comes before its hours.
func (e *Engine) loadMinutes(b []byte) error {
	if len(b) < 2 || b[0] != 1 {
		return errMinutes
	}
	kind := b[1]
	id, b, ok := readText(b[2:])
	of, b, also := readText(b)
	if !ok || !also {
		return errMinutes
	}
	s := e.sensors[id]
	if s == nil {
		return errUnasked
	}
	for _, t := range s.tracks {
		if t != nil && t.meter.String() == of {
			if kind == 'o' {
				return t.loadOpen(b)
			}
			return t.loadHour(b)
		}
	}
	return errUnasked
}

func (t *track) loadOpen(b []byte) error {
	var n [4]int64
	for i := range n {
		v, size := binary.Varint(b)
		if size <= 0 {
			return errMinutes
		}
		n[i], b = v, b[size:]
	}
	if readMoments(b, &t.real[0], &t.real[1]) == nil || n[0] < 0 || n[2] < 0 {
		t.open.number = never
		return errMinutes
	}
	t.begin(n[0])
	t.open = openMinute{n[0], n[1], n[2], n[3] != 0}
	t.unkept = 0
	return nil
}

func (t *track) loadHour(b []byte) error {
	first, size := binary.Varint(b)
	if size <= 0 {
		return errMinutes
	}
	b = b[size:]
	for number := first; len(b) > 0; number++ {
		low, size := binary.Varint(b)
		if size <= 0 || size >= len(b) {
			return errMinutes
		}
		mark := b[size]
		b = b[size+1:]
		if number < t.open.number && number >= t.open.number-int64(len(t.low)) {
			t.replace(number, int32(low), mark)
		}
	}
	return nil
}

// replace puts a closed minute where one was missing.
func (t *track) replace(number int64, low int32, mark uint8) {
	at := t.slot(number)
	for _, s := range t.spells {
		if s != nil && number > t.open.number-int64(s.length) {
			s.move(t.low[at], t.mark[at], -1)
			s.move(low, mark, 1)
		}
	}
	t.low[at], t.mark[at] = low, mark
}

func readText(b []byte) (string, []byte, bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return "", nil, false
	}
	return string(b[size : size+int(n)]), b[size+int(n):], true
}

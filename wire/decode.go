package wire

import (
	"math"
	"strings"
	"time"

	"nirapod/safety"
	"nirapod/wire/senml"
)

// headLabels stand in a pack's first record and nowhere else.
var headLabels = [...]string{"run", "stream", "seq", "boot", "mono", "clock", "anchor", "gone"}

// Decode reads the pack that came on topic, in JSON or, on a CBOR topic, in
// CBOR. It takes every SenML form that means the same (names in n alone, base
// values, units by bu); it refuses what Validate refuses, names outside the
// topic's gateway, sums and booleans. Every error wraps safety.ErrInvalid and
// names the record if there is one to name.
func Decode(topic Topic, payload []byte) (Pack, error) {
	if topic.Kind != KindPack {
		return Pack{}, invalid("topic %s carries no packs", topic)
	}
	parse := senml.ParseJSON
	if topic.CBOR {
		parse = senml.ParseCBOR
	}
	recs, err := parse(payload, senml.Limits{Bytes: MaxPack, Records: MaxRecords})
	if err != nil {
		return Pack{}, err
	}
	flat, err := senml.Flatten(recs)
	if err != nil {
		return Pack{}, err
	}
	p := Pack{Factory: topic.Factory, Gateway: topic.Gateway}
	if err := p.getHead(recs); err != nil {
		return Pack{}, invalidRecord(1, err)
	}
	if p.Stream != topic.Stream {
		return Pack{}, invalidRecord(1, invalid("label \"stream\" is %q on a topic of stream %q", p.Stream, topic.Stream))
	}
	if err := p.getRecords(flat); err != nil {
		return Pack{}, err
	}
	if err := p.validate(func(i int) int { return flat[i].Number }); err != nil {
		return Pack{}, err
	}
	return p, nil
}

func (p *Pack) getHead(recs []senml.Record) (err error) {
	for i := range recs[1:] {
		for _, x := range recs[i+1].Extra {
			if onlyHead(x.Name) {
				return invalid("label %q again in record %d; it belongs to the first record only", x.Name, i+2)
			}
		}
	}
	r := &recs[0]
	for _, x := range [...]struct {
		label string
		field *string
	}{
		{"run", &p.Run}, {"stream", (*string)(&p.Stream)}, {"boot", &p.Boot},
		{"clock", (*string)(&p.Clock)}, {"anchor", &p.Anchor},
	} {
		if *x.field, err = textLabel(r, x.label); err != nil {
			return err
		}
	}
	if p.First, err = countLabel(r, "seq"); err != nil {
		return err
	}
	mono, err := countLabel(r, "mono")
	if err != nil {
		return err
	}
	p.Mono = int64(mono)
	if p.Gone, err = getGone(r); err != nil {
		return err
	}
	return p.getSent(recs)
}

func onlyHead(label string) bool {
	for _, h := range headLabels {
		if h == label {
			return true
		}
	}
	return false
}

func (p *Pack) getSent(recs []senml.Record) (err error) {
	if err := p.Clock.validate(); err != nil {
		return err
	}
	if p.Clock == Unsynced {
		for i := range recs {
			if recs[i].Has&senml.HasBT != 0 {
				return invalid("bt in record %d of a pack with an unsynced clock; leave it out and count t back from sending", i+1)
			}
		}
		return nil
	}
	if recs[0].Has&senml.HasBT == 0 {
		return invalid("no bt; with a synced clock it is the time of sending")
	}
	p.Sent, err = absolute(recs[0].BT)
	return err
}

// slack is how far a sum of two SenML times may lie from a whole millisecond:
// a 64-bit float holds seconds to 0.03 ms in the year 9999, and to a quarter
// of a microsecond now.
const slack = 0.05 // ms

func milliseconds(seconds float64) (int64, error) {
	ms := seconds * 1000
	whole := math.Round(ms)
	if math.Abs(ms-whole) > slack {
		return 0, invalid("time %v: want whole milliseconds", seconds)
	}
	return int64(whole), nil
}

func absolute(seconds float64) (time.Time, error) {
	if seconds < senml.AbsoluteFrom || seconds >= maxTime {
		return time.Time{}, invalid("time %v: with a synced clock every time is absolute, in seconds since 1970", seconds)
	}
	ms, err := milliseconds(seconds)
	return time.UnixMilli(ms).UTC(), err
}

func (p *Pack) getRecords(flat []senml.Resolved) error {
	prefix := p.Factory + "/" + p.Gateway + "/"
	p.Records = make([]Record, len(flat))
	for i := range flat {
		r := &flat[i]
		name, ok := strings.CutPrefix(r.N, prefix)
		if !ok {
			return invalidRecord(r.Number, invalid("name %.150q: on this topic names begin with %s", r.N, prefix))
		}
		out := &p.Records[i]
		err := p.getTime(out, r.T)
		switch {
		case err != nil:
		case r.Has&(senml.HasS|senml.HasVB|senml.HasVD) != 0:
			err = invalid("sum, boolean or data value; send v, or vs")
		case p.Stream == Alarms:
			out.Transition, err = getTransition(r, name)
		default:
			err = getReading(out, r, name)
		}
		if err != nil {
			return invalidRecord(r.Number, err)
		}
	}
	return nil
}

func (p *Pack) getTime(out *Record, t float64) (err error) {
	if p.Clock == Synced {
		out.At, err = absolute(t)
		return err
	}
	if t > 0 || t < -senml.AbsoluteFrom {
		return invalid("time %v: with an unsynced clock t counts seconds back from sending, at most 0", t)
	}
	ms, err := milliseconds(t)
	out.Offset = time.Duration(ms) * time.Millisecond
	return err
}

func getReading(out *Record, r *senml.Resolved, name string) (err error) {
	in := safety.Reading{Sensor: name, Quality: safety.Good}
	q, err := textLabel(&r.Record, "q")
	if err != nil {
		return err
	}
	sensor, bad := strings.CutSuffix(name, qualitySuffix)
	switch number := r.Has&senml.HasV != 0; {
	case bad && !number && q == "":
		in.Sensor, in.Quality, in.Reason = sensor, safety.Bad, safety.Reason(r.VS)
	case bad:
		return invalid("a bad reading has vs = its reason and neither v nor q")
	case !number:
		return invalid("a reading has v; a bad one is named <sensor>%s and has vs", qualitySuffix)
	case q != "":
		in.Value, in.Quality, in.Reason = r.V, safety.Uncertain, safety.Reason(q)
	default:
		in.Value = r.V
	}
	if !bad {
		out.Unit = safety.Unit(r.U)
	}
	in.Flags, err = getFlags(&r.Record)
	out.Reading = in
	return err
}

// textLabel returns the text of an extra label, "" if it is absent.
func textLabel(r *senml.Record, label string) (string, error) {
	v, ok := r.Lookup(label)
	if !ok {
		return "", nil
	}
	s, ok := v.(string)
	if !ok || s == "" {
		return "", invalid("label %q: want a text that is not empty", label)
	}
	return s, nil
}

// count takes a number that is a whole one from 0 to maxSeq.
func count(v any) (uint64, bool) {
	f, ok := v.(float64)
	if !ok || f < 0 || f > maxSeq || f != math.Trunc(f) {
		return 0, false
	}
	return uint64(f), true
}

func countLabel(r *senml.Record, label string) (uint64, error) {
	v, ok := r.Lookup(label)
	n, whole := count(v)
	if !ok || !whole {
		return 0, invalid("label %q: want a whole number from 0 to %d", label, uint64(maxSeq))
	}
	return n, nil
}

func getFlags(r *senml.Record) (safety.Flags, error) {
	var f safety.Flags
	for _, x := range [...]struct {
		label string
		flag  safety.Flags
	}{{"sim", safety.Simulated}, {"drill", safety.Drill}} {
		v, ok := r.Lookup(x.label)
		if !ok {
			continue
		}
		set, isBool := v.(bool)
		if !isBool {
			return 0, invalid("label %q: want true or false", x.label)
		}
		if set {
			f |= x.flag
		}
	}
	return f, nil
}

func getGone(r *senml.Record) ([]Gone, error) {
	v, ok := r.Lookup("gone")
	if !ok {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 || len(list) > MaxRecords {
		return nil, invalid("label \"gone\": want 1 to %d spans [from,to,reason]", MaxRecords)
	}
	gone := make([]Gone, len(list))
	for i := range list {
		span, _ := list[i].([]any)
		if len(span) != 3 {
			return nil, invalid("gone %d: want [from,to,reason]", i+1)
		}
		from, okFrom := count(span[0])
		to, okTo := count(span[1])
		reason, okReason := span[2].(string)
		if !okFrom || !okTo || !okReason {
			return nil, invalid("gone %d: want [from,to,reason]", i+1)
		}
		gone[i] = Gone{safety.Span{From: from, To: to}, reason}
	}
	return gone, nil
}

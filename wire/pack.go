package wire

import (
	"math"
	"slices"
	"time"

	"nirapod/safety"
)

// Bounds of a pack.
const (
	MaxPack    = 256 << 10 // bytes
	MaxRecords = 1000      // records, and spans in Gone
)

// ClockState says whether the gateway's wall clock can be believed.
type ClockState string

// The clock states.
const (
	Synced   ClockState = "synced"
	Unsynced ClockState = "unsynced"
)

func (c ClockState) validate() error {
	if c != Synced && c != Unsynced {
		return invalid("clock %.40q: want synced or unsynced", c)
	}
	return nil
}

// The reasons why an agent dropped records. A pack with another is refused.
const (
	GoneFull    = "full"    // the spool's bound was reached
	GoneThinned = "thinned" // telemetry kept at a longer interval as the bound came near
	GoneCorrupt = "corrupt" // the record could not be read back from the spool
	GoneRefused = "refused" // the record could not be put into a pack
)

// Pack is a run of consecutive records of one stream.
type Pack struct {
	Factory, Gateway string
	Run              string     // 16 hex digits, random per start of the agent
	Stream           Stream     //
	First            uint64     // sequence number of Records[0], from 1; of the next record if there is none
	Boot             string     // the kernel's boot id: joins Mono across runs
	Mono             int64      // ms of the boot's monotonic clock at sending
	Clock            ClockState //
	Anchor           string     // id of the time anchor that the gateway used, "" = none
	Sent             time.Time  // wall clock at sending, UTC, whole ms; zero when unsynced
	Gone             []Gone     // what the agent dropped of this run and stream, ascending
	Records          []Record   // at most MaxRecords; may be empty if Gone is not
}

// Gone declares that the agent will never send these records.
type Gone struct {
	Span   safety.Span
	Reason string // one of the Gone constants
}

// Record is one record: Reading in stream Readings, Transition in stream
// Alarms. Its time stands in At (synced) or Offset (unsynced), never in
// Reading.At or Transition.At.
type Record struct {
	At     time.Time     // UTC, whole ms
	Offset time.Duration // at most 0, whole ms: how long before sending

	Reading safety.Reading
	Unit    safety.Unit // of Reading.Value, "" = not said

	// Transition has no Factory, Source, Run, Seq, ID and At: the topic and the
	// pack say them, and ingest fills them in.
	Transition *safety.Transition
}

// Last returns the sequence number of the last record, First-1 if there is none.
func (p Pack) Last() uint64 { return p.First + uint64(len(p.Records)) - 1 }

// Validate returns an error wrapping safety.ErrInvalid unless p can be sent
// as it is. Encode and Decode both hold packs to it.
func (p Pack) Validate() error { return p.validate(func(i int) int { return i + 1 }) }

// validate names records by number.
func (p *Pack) validate(number func(int) int) error {
	if err := p.validateHead(); err != nil {
		return err
	}
	if err := p.validateGone(); err != nil {
		return err
	}
	last := make(map[string]int64, len(p.Records))
	for i := range p.Records {
		r := &p.Records[i]
		ms, err := p.validateTime(r)
		if err == nil {
			err = p.validateRecord(r)
		}
		if err == nil && p.Stream == Readings {
			before, seen := last[r.Reading.Sensor]
			if seen && ms <= before {
				err = invalid("sensor %s: time is not after its record before; send one sample per sensor and millisecond, oldest first",
					r.Reading.Sensor)
			}
			last[r.Reading.Sensor] = ms
		}
		if err != nil {
			return invalidRecord(number(i), err)
		}
	}
	return nil
}

func (p *Pack) validateHead() error {
	if err := checkID("factory", p.Factory); err != nil {
		return err
	}
	if err := checkID("gateway", p.Gateway); err != nil {
		return err
	}
	if err := checkRun(p.Run); err != nil {
		return err
	}
	if !p.Stream.Known() {
		return invalid("stream %q: want r or a", p.Stream)
	}
	if err := checkToken("boot", p.Boot); err != nil {
		return err
	}
	if p.Anchor != "" {
		if err := checkToken("anchor", p.Anchor); err != nil {
			return err
		}
	}
	if p.Mono < 0 || p.Mono > maxSeq {
		return invalid("mono %d: want milliseconds from 0 to %d", p.Mono, int64(maxSeq))
	}
	if len(p.Records) > MaxRecords || len(p.Gone) > MaxRecords {
		return invalid("%d records and %d spans gone: send at most %d of each", len(p.Records), len(p.Gone), MaxRecords)
	}
	if len(p.Records)+len(p.Gone) == 0 {
		return invalid("neither records nor gone: nothing to send")
	}
	if p.First < 1 || p.First > maxSeq-MaxRecords {
		return invalid("seq %d: want 1 to %d", p.First, uint64(maxSeq-MaxRecords))
	}
	return p.validateClock()
}

func (p *Pack) validateClock() error {
	switch {
	case p.Clock == Synced && !wireTime(p.Sent):
		return invalid("clock is synced and bt is not an absolute time in whole milliseconds")
	case p.Clock == Unsynced && !p.Sent.IsZero():
		return invalid("clock is unsynced and bt is given; leave it out")
	}
	return p.Clock.validate()
}

// wireTime reports whether t can travel as an absolute SenML time.
func wireTime(t time.Time) bool {
	return t.Unix() >= minTime && t.Unix() < maxTime && t.Nanosecond()%int(time.Millisecond) == 0
}

func (p *Pack) validateGone() error {
	var end uint64
	for i, g := range p.Gone {
		switch {
		case g.Span.From < 1 || g.Span.From > g.Span.To || g.Span.To > maxSeq:
			return invalid("gone %d: want 1 <= from <= to, got %d and %d", i+1, g.Span.From, g.Span.To)
		case g.Span.From <= end:
			return invalid("gone %d: want spans ascending and apart", i+1)
		case len(p.Records) > 0 && g.Span.To >= p.First && g.Span.From <= p.Last():
			return invalid("gone %d: %d to %d overlaps the pack's own records", i+1, g.Span.From, g.Span.To)
		case !slices.Contains([]string{GoneFull, GoneThinned, GoneCorrupt, GoneRefused}, g.Reason):
			return invalid("gone %d: unknown reason %.40q", i+1, g.Reason)
		}
		end = g.Span.To
	}
	return nil
}

// validateTime returns the record's time in ms, comparable within the pack.
func (p *Pack) validateTime(r *Record) (int64, error) {
	if p.Clock == Synced {
		if !wireTime(r.At) || r.Offset != 0 {
			return 0, invalid("want an absolute time in whole milliseconds, as the clock is synced")
		}
		return r.At.UnixMilli(), nil
	}
	if r.Offset > 0 || r.Offset < minOffset || r.Offset%time.Millisecond != 0 || !r.At.IsZero() {
		return 0, invalid("want t at most 0 in whole milliseconds before sending, as the clock is unsynced")
	}
	return r.Offset.Milliseconds(), nil
}

func (p *Pack) validateRecord(r *Record) error {
	if p.Stream == Alarms {
		if r.Transition == nil || r.Reading != (safety.Reading{}) || r.Unit != "" {
			return invalid("stream a carries transitions only")
		}
		return validateTransition(r.Transition)
	}
	if r.Transition != nil {
		return invalid("stream r carries readings only")
	}
	if err := checkText("unit", string(r.Unit)); err != nil {
		return err
	}
	return validateReading(r.Reading)
}

func validateReading(r safety.Reading) error {
	if err := checkID("sensor", r.Sensor); err != nil {
		return err
	}
	if r.Flags&^(safety.Simulated|safety.Drill) != 0 {
		return invalid("unknown flags %#x", uint8(r.Flags))
	}
	if r.Quality != safety.Bad && (math.IsNaN(r.Value) || math.IsInf(r.Value, 0)) {
		return invalid("value %v: send a bad reading with its reason instead", r.Value)
	}
	switch r.Quality {
	case safety.Good:
		if r.Reason != "" {
			return invalid("a good reading has no reason")
		}
	case safety.Uncertain:
		if !r.Reason.Known() {
			return invalid("uncertain for the unknown reason %.40q", r.Reason)
		}
	case safety.Bad:
		if !r.Reason.Known() {
			return invalid("bad for the unknown reason %.40q", r.Reason)
		}
	default:
		return invalid("unknown quality %d", r.Quality)
	}
	return nil
}

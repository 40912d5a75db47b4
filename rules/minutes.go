package rules

import (
	"fmt"
	"math"
	"time"

	"nirapod/safety"
)

// What is summed over hours is kept a minute a bucket: five bytes, so that a
// shift of a sensor takes 2.4 kB. docs/rules.md says what that costs in truth.
const (
	msPerBucket = 60_000
	fullShift   = 480              // minutes over which exposure is averaged, however long the shift
	quantum     = 1e4              // a bucket counts ten-thousandths of its unit
	whole       = 127              // of a bucket is missing
	inDoubt     = 128              // of a mark: the bucket may raise and not clear
	maxMissing  = 1 - coverage     // of a window, beyond which there is no upper bound
	slowest     = 15 * time.Second // period of a sensor with four readings a minute
)

// meter says what a sensor's minutes are filled with.
type meter struct {
	kind                string
	criterion, exchange float64 // dBA and dB, of a dose
}

const (
	amount = "amount" // of a substance: less than nothing counts as nothing
	level  = "level"  // the value itself
	dose   = "dose"   // minutes at the criterion level that do the same
)

func (m meter) String() string {
	if m.kind != dose {
		return m.kind
	}
	return fmt.Sprintf("%s %g %g", m.kind, m.criterion, m.exchange)
}

// micro returns what a value adds, in millionths.
func (m meter) micro(value float64) int64 {
	switch m.kind {
	case amount:
		value = max(value, 0)
	case dose:
		value = math.Exp2((value - m.criterion) / m.exchange)
	}
	const most = math.MaxInt32 / quantum
	return int64(math.Round(max(-most, min(value, most)) * scale))
}

// reach is how far back minutes are summed.
type reach struct {
	minutes int
	shift   bool // or as long as the zone's shift, where that is longer
}

func (r reach) in(z *safety.Zone) int {
	if r.shift {
		return max(r.minutes, int(math.Ceil(z.Shift*60)))
	}
	return r.minutes
}

// track is the minutes of one sensor as one meter fills them: the open one,
// to which readings come, and a ring of closed ones by their number.
type track struct {
	meter  meter
	period int64 // ms
	open   openMinute
	real   [2]int64 // newest reading without flag 1<<i, ms
	low    []int32  // mean × the share that is known, in 1/quantum
	mark   []uint8  // the share that is missing, of whole; and inDoubt
	spells []*spell // by the engine's numbering, nil where unused
	peak   float64  // highest closed minute of the ring, in 1/quantum
	peakAt int64    // the open minute when peak was looked for
	unkept uint32   // what the next snapshot has to save: bit 31 the open minute, others slots of hours
}

// openMinute is exact: whole millionths.
type openMinute struct {
	number int64 // minutes since 1970, never before the first reading
	micro  int64
	n      int64
	doubt  bool
}

// spell is the sums over the newest closed minutes, one fewer than its length:
// the open minute and what it leaves of the oldest make up the last.
type spell struct {
	length     int
	all, doubt tally
}

type tally struct{ n, low, missing int64 }

func (x *tally) move(low int32, mark uint8, by int64) {
	x.n += by
	x.low += by * int64(low)
	x.missing += by * int64(mark&^inDoubt)
}

func (s *spell) move(low int32, mark uint8, by int64) {
	s.all.move(low, mark, by)
	if mark&inDoubt != 0 {
		s.doubt.move(low, mark, by)
	}
}

func newTrack(m meter, period time.Duration) *track {
	return &track{meter: m, period: period.Milliseconds(), open: openMinute{number: never}, real: [2]int64{never, never}, peakAt: never}
}

// watch makes the track keep sums as far back as r says, under number i.
func (t *track) watch(i, length int) {
	for len(t.spells) <= i {
		t.spells = append(t.spells, nil)
	}
	t.spells[i] = &spell{length: length}
	if length > len(t.low) {
		t.low, t.mark = make([]int32, length), make([]uint8, length)
	}
}

// begin empties the ring before a minute: all of it is missing.
func (t *track) begin(number int64) {
	t.open = openMinute{number: number}
	clear(t.low)
	for i := range t.mark {
		t.mark[i] = whole
	}
	for _, s := range t.spells {
		if s != nil {
			s.all, s.doubt = tally{n: int64(s.length - 1), missing: whole * int64(s.length-1)}, tally{}
		}
	}
	t.peakAt = never
	t.unkept = math.MaxUint32
}

// pass lets time go on to a moment, ms.
func (t *track) pass(at int64) {
	number := at / msPerBucket
	if t.open.number == never || number-t.open.number > int64(len(t.low)) {
		t.begin(number)
	}
	for t.open.number < number {
		t.close()
	}
	t.unkept |= openUnkept
}

func (t *track) close() {
	low, mark := t.open.bucket(msPerBucket / t.period)
	for _, s := range t.spells {
		if s == nil {
			continue
		}
		if gone := t.slot(t.open.number - int64(s.length) + 1); s.length > 1 {
			s.move(t.low[gone], t.mark[gone], -1)
			s.move(low, mark, 1)
		}
	}
	t.low[t.slot(t.open.number)], t.mark[t.slot(t.open.number)] = low, mark
	t.unkept |= 1 << t.hourSlot(t.open.number/60)
	t.open = openMinute{number: t.open.number + 1}
}

func (t *track) slot(number int64) int {
	n := int64(len(t.low))
	return int((number%n + n) % n)
}

// bucket is the minute so far: a mean that stands for all of it if 75 % of the
// promised readings are there, else for the share that is.
func (o openMinute) bucket(promised int64) (low int32, mark uint8) {
	share := o.share(promised)
	low = int32(math.Round(o.mean() * share))
	mark = uint8(math.Ceil((1 - share) * whole))
	if o.doubt {
		mark |= inDoubt
	}
	return low, mark
}

// mean is in 1/quantum.
func (o openMinute) mean() float64 {
	return float64(o.micro) / float64(max(o.n, 1)) * (quantum / scale)
}

func (o openMinute) share(promised int64) float64 {
	if share := float64(o.n) / float64(promised); share < coverage {
		return share
	}
	return 1
}

// count adds a reading to the open minute; pass has been there.
func (t *track) count(at int64, value float64, doubt bool, flags safety.Flags) {
	t.open.micro += t.meter.micro(value)
	t.open.n++
	t.open.doubt = t.open.doubt || doubt
	for i := range t.real {
		if flags&(1<<i) == 0 {
			t.real[i] = at
		}
	}
}

// known is what the minutes of a window say, in whole numbers so that what stays
// at a limit is neither above nor below it in turns: the sum over what is known
// of it, in ms/quantum of the unit, and what is missing of it, in ms/whole.
type known struct{ sum, missing int64 }

// over sums the length of s that ends with the open minute at a moment, ms.
// trusted: minutes in doubt count as missing.
func (t *track) over(s *spell, at int64, trusted bool) known {
	promised := (at-t.open.number*msPerBucket)/t.period + 1
	gone := min(msPerBucket, promised*t.period)
	out := known{s.all.low * msPerBucket, s.all.missing * msPerBucket}
	if trusted {
		out.sum -= s.doubt.low * msPerBucket
		out.missing += (whole*s.doubt.n - s.doubt.missing) * msPerBucket
	}
	oldest := t.slot(t.open.number - int64(s.length))
	out.add(t.low[oldest], t.mark[oldest], msPerBucket-gone, trusted)
	low, mark := t.open.bucket(promised)
	out.add(low, mark, gone, trusted)
	return out
}

func (k *known) add(low int32, mark uint8, ms int64, trusted bool) {
	if trusted && mark&inDoubt != 0 {
		low, mark = 0, whole
	}
	k.sum += int64(low) * ms
	k.missing += int64(mark&^inDoubt) * ms
}

func (s *spell) uncovered(missing int64) bool {
	return float64(missing) > maxMissing*float64(whole*msPerBucket*s.length)
}

func (t *track) doubtful(s *spell) bool {
	oldest := t.mark[t.slot(t.open.number-int64(s.length))]
	return s.doubt.n > 0 || t.open.doubt || oldest&inDoubt != 0
}

// highest is the highest minute that is known, of all that the track keeps, in 1/quantum.
func (t *track) highest() float64 {
	if t.peakAt != t.open.number {
		t.peak, t.peakAt = 0, t.open.number
		for i, low := range t.low {
			if missing := t.mark[i] &^ inDoubt; missing < whole {
				t.peak = max(t.peak, math.Ceil(float64(low)*whole/float64(whole-missing)))
			}
		}
	}
	if t.open.n == 0 {
		return t.peak
	}
	return max(t.peak, t.open.mean())
}

// exposure is the sum over s, in unit·min, by a divisor: at least what is known,
// missing minutes counted as 0; at most that with each missing minute as high as the
// highest. Without an upper bound where more than a quarter is missing, or the
// newest word is not believed (seen false): it may be anything by now.
func (t *track) exposure(s *spell, at int64, seen, trusted bool, divisor float64) span {
	k := t.over(s, at, trusted)
	by := quantum * msPerBucket * divisor
	low := float64(k.sum) / by
	switch {
	case !seen || s.uncovered(k.missing):
		return span{low, math.Inf(1)}
	case k.missing == 0:
		return exactly(low)
	}
	return span{low, (float64(k.sum)*whole + float64(k.missing)*t.highest()) / (by * whole)}
}

// average is the mean of the minutes that are known, of which a quarter may be missing.
func (t *track) average(s *spell, at int64, trusted bool) span {
	k := t.over(s, at, trusted)
	if s.uncovered(k.missing) {
		return anything
	}
	return exactly(float64(k.sum) * whole / quantum / float64(int64(whole*msPerBucket*s.length)-k.missing))
}

// flags are what all readings of the window have in common.
func (t *track) flags(s *spell, at int64) safety.Flags {
	var f safety.Flags
	for i, real := range t.real {
		if real <= at-int64(s.length)*msPerBucket {
			f |= 1 << i
		}
	}
	return f
}

// minute takes the newest word of s into its minutes. What a sound neighbour
// outvotes is no reading.
func (s *sensor) minute(at int64) {
	for _, t := range s.tracks {
		if t == nil {
			continue
		}
		t.pass(at)
		if s.quality != safety.Bad && (!s.quarantine.on || !s.outvoted()) {
			t.count(at, s.value, s.quality != safety.Good || s.quarantine.covers(at), s.flags)
		}
	}
}

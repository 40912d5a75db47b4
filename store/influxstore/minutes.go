package influxstore

import (
	"fmt"
	"strings"
	"time"
)

// Names in the bucket of minutes. A point of this measurement stands at the
// beginning of its minute and carries the tags of its readings; its fields are
// mean, min, max and count of the good values, and how many readings of that
// minute were bad or uncertain, by reason: bad_<reason>, uncertain_<reason>.
const minutesMeasurement = "reading_1m"

// minutesTask works out all minutes of the span before it runs, again and
// again: a point written twice is one point.
type minutesTask struct {
	name                string
	every, offset, span time.Duration
}

// The second makes good what gateways sent after an outage. It bounds how late
// readings may come and still be in their minute.
var minutesTasks = []minutesTask{
	{name: "minutes", every: 5 * time.Minute, offset: time.Minute, span: time.Hour},
	{name: "late minutes", every: 24 * time.Hour, offset: 10 * time.Minute, span: lateSpan},
}

const lateSpan = 8 * 24 * time.Hour

// flux returns the whole script of the task.
func (t minutesTask) flux(from, into, org string) string {
	return minutesOf(from, t.span,
		fmt.Sprintf("task = {name: %q, every: %s, offset: %s}", t.title(from), span(t.every), span(t.offset)),
		fmt.Sprintf("to(bucket: %q, org: %q)", into, org))
}

// title tells the tasks of several servers in one organisation apart.
func (t minutesTask) title(from string) string { return "nirapod " + t.name + " of " + from }

// minutesOf returns Flux with one option that hands each figure to sink, in the
// words that both Flux 0.65 of InfluxDB 1.8 and that of InfluxDB 2 know. A minute without a
// reading gets no point. Only whole minutes are looked at, whenever the task
// runs, so that no point is replaced by one about half a minute. InfluxDB 1.8
// counts a reading at the very stop of a range to the minute at its start, so
// the range ends before it.
func minutesOf(bucket string, back time.Duration, option, sink string) string {
	return strings.NewReplacer(
		"BUCKET", fmt.Sprintf("%q", bucket), "BACK", span(back), "OPTION", option, "SINK", sink,
		"RAW", measurement, "MINUTES", minutesMeasurement,
		"VALUE", fieldValue, "BAD", fieldBad, "UNCERTAIN", fieldUncertain,
	).Replace(minutesFlux)
}

const minutesFlux = `import "date"
import "experimental"

option OPTION

end = date.truncate(t: now(), unit: 1m)
start = experimental.subDuration(d: BACK, from: end)
stop = experimental.subDuration(d: 1ns, from: end)
readings = () => from(bucket: BUCKET)
	|> range(start: start, stop: stop)
	|> filter(fn: (r) => r._measurement == "RAW")
values = () => readings()
	|> filter(fn: (r) => r._field == "VALUE")
minutes = (tables=<-, fn) => tables
	|> aggregateWindow(every: 1m, fn: fn, timeSrc: "_start", createEmpty: false)
	|> set(key: "_measurement", value: "MINUTES")

values()
	|> minutes(fn: mean)
	|> set(key: "_field", value: "mean")
	|> SINK
	|> yield(name: "mean")
values()
	|> minutes(fn: min)
	|> set(key: "_field", value: "min")
	|> SINK
	|> yield(name: "min")
values()
	|> minutes(fn: max)
	|> set(key: "_field", value: "max")
	|> SINK
	|> yield(name: "max")
values()
	|> minutes(fn: count)
	|> set(key: "_field", value: "count")
	|> SINK
	|> yield(name: "count")
readings()
	|> filter(fn: (r) => r._field == "BAD")
	|> map(fn: (r) => ({r with _field: "BAD_" + r._value}))
	|> group(columns: ["_time", "_value"], mode: "except")
	|> minutes(fn: count)
	|> SINK
	|> yield(name: "bad")
readings()
	|> filter(fn: (r) => r._field =~ /^UNCERTAIN/)
	|> minutes(fn: count)
	|> SINK
	|> yield(name: "uncertain")
`

// span writes d as Flux does; d is a whole number of minutes.
func span(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	return fmt.Sprintf("%dm", d/time.Minute)
}

package sim

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Recording plays columns of a CSV file into zones, at the file's own pace.
// The file's Start stands at the scenario's beginning. Between two samples the
// value is interpolated; cells that are empty or no number are no samples.
// Before the first sample a column has the first value, after the last the
// last. A value beyond ±1e6 is a broken sensor of the recording, such as an
// open thermocouple: it is held, never interpolated, and drives the register
// to the end of its range. What is driven does not spread over links.
type Recording struct {
	File        string        `yaml:"file"`        // relative to the scenario's file
	Time        string        `yaml:"time"`        // column, in seconds
	SkipRows    int           `yaml:"skip_rows"`   // before the header
	UnitsRow    bool          `yaml:"units_row"`   // a row of units behind the header
	Start       time.Duration `yaml:"start"`       // time in the file at the scenario's beginning
	Interpolate string        `yaml:"interpolate"` // linear (default) | hold
	Bind        []Binding     `yaml:"bind"`

	columns map[string][]sample
}

// Binding drives one quantity of a zone's air with scale·x + offset of a column.
type Binding struct {
	Zone     string  `yaml:"zone"`
	Quantity string  `yaml:"quantity"` // as in Setting
	Column   string  `yaml:"column"`
	Scale    float64 `yaml:"scale"` // default 1
	Offset   float64 `yaml:"offset"`
}

type sample struct {
	at    time.Duration
	value float64
}

const implausible = 1e6

func (c *checker) checkRecording(r *Recording) {
	c.must(r.Time != "", "recording.time", "the name of the time column is wanted")
	c.must(r.SkipRows >= 0, "recording.skip_rows", "%d is negative", r.SkipRows)
	c.must(len(r.Bind) > 0, "recording.bind", "at least one binding is wanted")
	switch r.Interpolate {
	case "", "linear", "hold":
	default:
		c.must(false, "recording.interpolate", "%q is neither linear nor hold", r.Interpolate)
	}
	seen := make(map[string]bool)
	for i, b := range r.Bind {
		path := fmt.Sprintf("recording.bind[%d]", i)
		c.zone(path+".zone", b.Zone)
		c.must(knownQuantity(b.Quantity), path+".quantity", "%q is none of temperature, humidity, smoke_od, co", b.Quantity)
		c.must(b.Column != "", path+".column", "a column is wanted")
		c.must(!seen[b.Zone+" "+b.Quantity], path, "%s of %s is already bound", b.Quantity, b.Zone)
		seen[b.Zone+" "+b.Quantity] = true
	}
}

// read loads the bound columns of a file.
func (r *Recording) read(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	rows := csv.NewReader(f)
	rows.FieldsPerRecord = -1
	for range r.SkipRows {
		if _, err := rows.Read(); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	header, err := rows.Read()
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if r.UnitsRow {
		if _, err := rows.Read(); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	if err := r.readRows(rows, header); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func (r *Recording) readRows(rows *csv.Reader, header []string) error {
	index := make(map[string]int)
	for i, name := range header {
		index[strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))] = i
	}
	timeColumn, ok := index[r.Time]
	if !ok {
		return fmt.Errorf("there is no column %q", r.Time)
	}
	for _, b := range r.Bind {
		if _, ok := index[b.Column]; !ok {
			return fmt.Errorf("there is no column %q", b.Column)
		}
	}
	r.columns = make(map[string][]sample)
	last := math.Inf(-1)
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		line, _ := rows.FieldPos(0)
		t, ok := number(row, timeColumn)
		if !ok || t <= last {
			return fmt.Errorf("line %d: time %q does not follow %v", line, row[min(timeColumn, len(row)-1)], last)
		}
		last = t
		r.take(row, index, time.Duration(t*float64(time.Second)))
	}
	for _, b := range r.Bind {
		if len(r.columns[b.Column]) == 0 {
			return fmt.Errorf("column %q holds no number", b.Column)
		}
	}
	return nil
}

func (r *Recording) take(row []string, index map[string]int, at time.Duration) {
	taken := make(map[string]bool)
	for _, b := range r.Bind {
		if v, ok := number(row, index[b.Column]); ok && !taken[b.Column] {
			r.columns[b.Column] = append(r.columns[b.Column], sample{at, v})
			taken[b.Column] = true
		}
	}
}

func number(row []string, column int) (float64, bool) {
	if column >= len(row) {
		return 0, false
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(row[column]), 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// driver plays one binding.
func (r *Recording) driver(b Binding) driver {
	samples, scale := r.columns[b.Column], orDefault(b.Scale, 1)
	return func(t time.Duration) (float64, bool) {
		return scale*r.value(samples, r.Start+t) + b.Offset, true
	}
}

func (r *Recording) value(samples []sample, t time.Duration) float64 {
	next := sort.Search(len(samples), func(i int) bool { return samples[i].at > t })
	switch {
	case next == 0:
		return samples[0].value
	case next == len(samples):
		return samples[next-1].value
	}
	a, b := samples[next-1], samples[next]
	if r.Interpolate == "hold" || math.Abs(a.value) > implausible || math.Abs(b.value) > implausible {
		return a.value
	}
	return a.value + (b.value-a.value)*float64(t-a.at)/float64(b.at-a.at)
}

// Length returns the time of the last sample of any bound column, seen from
// the scenario's beginning.
func (r *Recording) Length() time.Duration {
	var end time.Duration
	for _, samples := range r.columns {
		end = max(end, samples[len(samples)-1].at-r.Start)
	}
	return end
}

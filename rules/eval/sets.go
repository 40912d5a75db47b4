package eval

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rows are the numbers of a recording, NaN where a cell holds none.
type rows struct {
	header []string
	text   [][]string
	cells  [][]float64
}

func (e *evaluator) rows(name string) (rows, error) {
	file, err := e.data.Open(name)
	if err != nil {
		return rows{}, err
	}
	in := csv.NewReader(file)
	in.FieldsPerRecord, in.TrimLeadingSpace = -1, true
	all, err := in.ReadAll()
	if err = errors.Join(err, file.Close()); err != nil || len(all) == 0 {
		return rows{}, errors.Join(err, fmt.Errorf("%s: no rows", name))
	}
	out := rows{header: all[0], text: all[1:]}
	for _, row := range all[1:] {
		numbers := make([]float64, len(all[0]))
		for i := range numbers {
			numbers[i] = math.NaN()
			if i < len(row) {
				if v, err := strconv.ParseFloat(strings.TrimSpace(row[i]), 64); err == nil {
					numbers[i] = v
				}
			}
		}
		out.cells = append(out.cells, numbers)
	}
	return out, nil
}

const homes = "nist-exp/NIST_Smoke_Alarms/"

// homes are judged against the alarms that hung there: the slower of the
// first with a photo cell and the first with an ion chamber.
func (e *evaluator) homes() (Set, error) {
	set := Set{Title: "NIST home fires", Note: "Wanted by: the slower of the first photoelectric and the first ionisation alarm of the recording (`Activation_Times.csv`)."}
	times, err := e.rows(homes + "Activation_Times.csv")
	if err != nil {
		return set, err
	}
	names, err := fs.Glob(e.data, homes+"NIST_Smoke_Alarms_*.csv")
	for _, name := range names {
		test := strings.TrimSuffix(path.Base(name), ".csv")
		test = test[strings.LastIndexByte(test, '_')+1:]
		events, _, err := e.file("nist-"+strings.ToLower(test)+".yaml", name)
		if err != nil {
			return set, err
		}
		r := judge(test, events, 0)
		r.Expected = "alarm"
		r.Due = max(first(times, test+"-Ion"), first(times, test+"-Pho"))
		set.Results = append(set.Results, r)
	}
	return set, err
}

func first(times rows, prefix string) float64 {
	soonest := math.Inf(1)
	for i, h := range times.header {
		if strings.HasPrefix(h, prefix) {
			soonest = min(soonest, times.cells[0][i])
		}
	}
	return soonest
}

const (
	staticA1   = 54.0 // °C, EN 54-5 classes A1 and A2
	ratedRise  = 8.3  // K/min
	impossible = 1500 // °C: no thermocouple's word
)

func (e *evaluator) hangars() (Set, error) {
	set := Set{Title: "US Navy hangars, 15 m", Note: "Within reach of EN 54-5: 54 °C at one thermocouple, or 8.3 K within a minute at two. The rest is wanted as a pre-alarm."}
	names, err := fs.Glob(e.data, "nist-exp/USN_Hangars/*.csv")
	for _, name := range names {
		events, _, err := e.file("hangar.yaml", name)
		if err != nil {
			return set, err
		}
		data, err := e.rows(name)
		if err != nil {
			return set, err
		}
		test := strings.TrimPrefix(strings.TrimSuffix(path.Base(name), ".csv"), "USN_Hawaii_ExpData_")
		r := judge(test, events, 0)
		r.Expected = "prealarm"
		if reach(data) {
			r.Expected = "alarm"
		}
		set.Results = append(set.Results, r)
	}
	return set, err
}

// reach reports whether a fire came within reach of point heat detectors.
func reach(data rows) bool {
	sound := func(i int) bool {
		return !slices.ContainsFunc(data.cells, func(row []float64) bool { return !(math.Abs(row[i]) < impossible) })
	}
	for k, row := range data.cells {
		rising := 0
		for i := 1; i < len(row); i++ {
			if !sound(i) {
				continue
			}
			if row[i] >= staticA1 {
				return true
			}
			for back := k; back >= 0 && row[0]-data.cells[back][0] <= 60; back-- {
				if row[0]-data.cells[back][0] == 60 && row[i]-data.cells[back][i] >= ratedRise {
					rising++
				}
			}
		}
		if rising >= 2 {
			return true
		}
	}
	return false
}

const (
	modelLag = 50.0 // s, first-order lag of the modelled detector
	modelAt  = 57.0 // °C
)

func (e *evaluator) rooms() (Set, error) {
	set := Set{Title: "UL FSRI compartment fires", Note: "Beside: a 57 °C detector modelled from the thermocouple 25 mm below the ceiling as a first-order lag of 50 s, the soonest of the four."}
	const dir = "fsri-compartments-2018/01_Data/"
	names, err := fs.Glob(e.data, dir+"*_Events.csv")
	for _, events := range names {
		test := strings.TrimSuffix(path.Base(events), "_Events.csv")
		name := dir + test + ".csv"
		data, err := e.rows(name)
		if err != nil {
			return set, err
		}
		ignition, err := e.ignition(events, data)
		if err != nil {
			return set, err
		}
		told, _, err := e.file("fsri.yaml", name)
		if err != nil {
			return set, err
		}
		r := judge(test, told, ignition)
		r.Expected, r.Due = "alarm", modelled(data)-ignition
		r.Days = (ignition - data.cells[0][0]) / 86400 * fsriSensors
		set.Results = append(set.Results, r)
	}
	return set, err
}

const fsriSensors = 32

// ignition returns the recording's own time of the event.
func (e *evaluator) ignition(events string, data rows) (float64, error) {
	list, err := e.rows(events)
	if err != nil {
		return 0, err
	}
	for _, row := range list.text {
		if len(row) < 2 || !strings.HasPrefix(row[1], "Ignition") {
			continue
		}
		at, err := time.Parse("2006-01-02-15:04:05", row[0])
		if err != nil {
			return 0, err
		}
		zero, err := time.Parse(time.DateTime, data.text[0][1])
		return data.cells[0][0] + at.Sub(zero).Seconds(), err
	}
	return 0, fmt.Errorf("%s: no ignition", events)
}

// modelled is when the soonest of the modelled detectors answers.
func modelled(data rows) float64 {
	soonest := math.Inf(1)
	for i, h := range data.header {
		if !strings.Contains(h, "Temperature 25 mm") {
			continue
		}
		head := data.cells[0][i]
		for k := 1; k < len(data.cells); k++ {
			step := data.cells[k][0] - data.cells[k-1][0]
			head += (data.cells[k][i] - head) * (1 - math.Exp(-step/modelLag))
			if head >= modelAt {
				soonest = min(soonest, data.cells[k][0])
				break
			}
		}
	}
	return soonest
}

func (e *evaluator) holds() (Set, error) {
	set := Set{Title: "FAA cargo holds", Note: "Ignition at 0 s of each recording."}
	for _, f := range []struct{ name, mapName string }{
		{"FAA_2018_747_TC_EXPDATA", "faa-2018.yaml"}, {"FAA_B747_Front11kw_AVE", "faa-front.yaml"},
		{"FAA_B747_Front5.5kw_AVE", "faa-front.yaml"}, {"FAA_B747_Rear11kw_AVE", "faa-rear.yaml"},
		{"TestCase1_FAA_EXPDATA", "faa-testcase.yaml"}, {"TestCase3_FAA_EXPDATA", "faa-testcase.yaml"},
	} {
		events, _, err := e.file(f.mapName, "nist-exp/FAA_Cargo_Compartments/"+f.name+".csv")
		if err != nil {
			return set, err
		}
		r := judge(f.name, events, 0)
		r.Expected = "alarm"
		set.Results = append(set.Results, r)
	}
	return set, nil
}

const heliumSensors = 8

func (e *evaluator) garages() (Set, error) {
	set := Set{Title: "NIST helium in a garage, as hydrogen", Note: "100 %LEL = 4.0 vol%. Each line is the slowest of eight sensors: its first stage, from the sample with which it passes 10 %LEL. Wanted by: three samples later."}
	names, err := fs.Glob(e.data, "nist-exp/NIST_He_2009/*.csv")
	for _, name := range names {
		events, _, err := e.file("helium.yaml", name)
		if err != nil {
			return set, err
		}
		data, err := e.rows(name)
		if err != nil {
			return set, err
		}
		slowest := Result{Name: strings.TrimSuffix(path.Base(name), ".csv"), Expected: "alarm", Due: math.Inf(1), PreAlarm: math.NaN()}
		for i := 1; i <= heliumSensors; i++ {
			slowest.join(stage(data, events, i))
		}
		set.Results = append(set.Results, slowest)
	}
	return set, err
}

// stage judges one sensor that passes 10 %LEL.
func stage(data rows, events []event, i int) Result {
	k := slices.IndexFunc(data.cells, func(row []float64) bool { return row[i]*25 >= 10 })
	if k < 0 {
		k = len(data.cells) - 1
	}
	own := slices.DeleteFunc(slices.Clone(events), func(ev event) bool { return ev.Sensor != "h"+strconv.Itoa(i) })
	r := judge("", own, data.cells[k][0])
	r.Due = data.cells[min(k+3, len(data.cells)-1)][0] - data.cells[k][0]
	r.Days = (data.cells[k][0] - data.cells[0][0]) / 86400
	return r
}

// join makes r the slower of both; one that was never detected is slowest.
func (r *Result) join(other Result) {
	r.Early, r.Days, r.Faults = r.Early+other.Early, r.Days+other.Days, append(r.Faults, other.Faults...)
	r.Due = min(r.Due, other.Due)
	if !(other.Alarm < r.Alarm) && !math.IsNaN(r.Alarm) {
		r.Alarm, r.By = other.Alarm, other.By
	}
}

func (e *evaluator) quiet() (Set, error) {
	set := Set{Title: "Days without a fire", Note: "UCI occupancy: offices and people in them. Every alarm is false."}
	for _, f := range []struct {
		name, mapName string
		period        float64 // s
	}{{"uci-occupancy/datatraining.txt", "occupancy.yaml", 60}, {"uci-room-occupancy/2017-12-22.csv", "room-occupancy.yaml", 30}} {
		events, sum, err := e.file(f.mapName, f.name)
		if err != nil {
			return set, err
		}
		r := judge(path.Base(f.name), events, math.Inf(1))
		r.Expected, r.Days = "nothing", float64(sum.Readings)*f.period/86400
		set.Results = append(set.Results, r)
	}
	return set, nil
}

package sim_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// column reads one column of a recording, by its own means.
func column(t *testing.T, file, name string) (at []time.Duration, values []float64) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Skip("the recording is not here: ", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, head := range rows[0] {
		if head != name {
			continue
		}
		for _, row := range rows[1:] {
			seconds, err := strconv.ParseFloat(row[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			value, err := strconv.ParseFloat(row[i], 64)
			if err != nil {
				t.Fatal(err)
			}
			at, values = append(at, time.Duration(seconds*float64(time.Second))), append(values, value)
		}
	}
	return at, values
}

func TestHomeFiresDriveTheRegisters(t *testing.T) {
	for _, fire := range []string{"SDC02", "SDC07", "SDC33", "SDC38"} {
		t.Run(fire, func(t *testing.T) {
			file := "../../shared/data/nist-exp/NIST_Smoke_Alarms/NIST_Smoke_Alarms_" + fire + ".csv"
			at, temperature := column(t, file, "TCF_1")
			_, smoke := column(t, file, "SMF_1")
			r := load(t, "home-fire", file, 1)
			r.startHeat()
			var dense, alarm time.Duration
			for i := range at {
				r.now = max(r.now, at[i])
				got, _ := r.climate(0x44)
				low, high := span(at, temperature, at[i], 20*time.Second)
				if got < min(low, 130)-0.3 || got > high+0.3 { // the register ends at 130 °C
					t.Errorf("%v: register %.2f °C, the thermocouple %.2f to %.2f in the last 20 s", at[i], got, low, high)
				}
				if dense == 0 && smoke[i] >= 0.05 {
					dense = at[i]
				}
				if alarm == 0 && inAlarm(r.loop(0x48, 0)) {
					alarm = at[i]
				}
			}
			t.Logf("%s: 0.05 1/m at %v, the head alarmed at %v", fire, dense, alarm)
			if alarm < dense || alarm > dense+15*time.Second {
				t.Errorf("0.05 1/m at %v, the head alarmed at %v", dense, alarm)
			}
		})
	}
}

// span returns the extremes of values over the time before now.
func span(at []time.Duration, values []float64, now, over time.Duration) (low, high float64) {
	low, high = 1e9, -1e9
	for i := range at {
		if at[i] <= now && at[i] >= now-over {
			low, high = min(low, values[i]), max(high, values[i])
		}
	}
	return low, high
}

const playBuilding = `
zones: [{id: store, area_m2: 20, height_m: 3, temperature_c: 25, humidity_pct: 50}]
chips: [{part: hdc302x, bus: i2c-1, address: 0x44, zone: store, lag: 10ms}]
`

func TestRecordingPlays(t *testing.T) {
	csvText := "a file about something\nwhen,temp\ns,C\n10,20\n20,\n30,40\n31,9.91E+37\n40,50\n"
	for mode, want := range map[string]map[time.Duration]float64{
		"linear": {0: 20, 10 * time.Second: 30, 25 * time.Second: 130, 32 * time.Second: 50, time.Minute: 50},
		"hold":   {0: 20, 10 * time.Second: 20, 25 * time.Second: 130, 32 * time.Second: 50, time.Minute: 50},
	} {
		t.Run(mode, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{
				"b.yaml": playBuilding, "data.csv": csvText,
				"s.yaml": "name: play\nbuilding: ./b.yaml\nrecording:\n  file: data.csv\n  time: when\n  skip_rows: 1\n" +
					"  units_row: true\n  start: 10s\n  interpolate: " + mode +
					"\n  bind: [{zone: store, quantity: temperature, column: temp}]\n",
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for at, celsius := range want {
				r := load(t, filepath.Join(dir, "s.yaml"), "", 1)
				r.now = at
				r.tx(0x44, 0, 0x27, 0x37)
				r.now += 200 * time.Millisecond
				if got, _ := r.climate(0x44); got < celsius-0.7 || got > celsius+0.7 {
					t.Errorf("%v: %.2f °C, want %.1f", at, got, celsius)
				}
			}
		})
	}
}

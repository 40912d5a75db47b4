package comfort

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// vectors are validated inputs and outputs of one index.
type vectors struct {
	Tolerance map[string]float64
	Data      []struct {
		Inputs  map[string]any
		Outputs map[string]any
	}
}

// compute returns an index by the names of the vectors. Numbers that are not
// given are NaN, words "".
var compute = map[string]func(n func(string) float64, w func(string) string) map[string]float64{
	"discomfort_index": func(n func(string) float64, _ func(string) string) map[string]float64 {
		return map[string]float64{"di": DiscomfortIndex(n("tdb"), n("rh"))}
	},
	"heat_index": func(n func(string) float64, _ func(string) string) map[string]float64 {
		return map[string]float64{"hi": HeatIndex(n("tdb"), n("rh"))}
	},
	"humidex": func(n func(string) float64, _ func(string) string) map[string]float64 {
		return map[string]float64{"humidex": Humidex(n("tdb"), n("rh"))}
	},
	"wbgt": func(n func(string) float64, w func(string) string) map[string]float64 {
		if w("with_solar_load") == "true" {
			return map[string]float64{"wbgt": WBGTInSun(n("twb"), n("tg"), n("tdb"))}
		}
		return map[string]float64{"wbgt": WBGT(n("twb"), n("tg"))}
	},
	"utci": func(n func(string) float64, w func(string) string) map[string]float64 {
		c := conditions(n)
		if w("units") != "ip" {
			return map[string]float64{"utci": UTCI(c)}
		}
		const foot = 3.281 // in a metre, as the vectors have it
		c.Air, c.Radiant, c.Wind = (c.Air-32)/1.8, (c.Radiant-32)/1.8, c.Wind/foot
		return map[string]float64{"utci": UTCI(c)*1.8 + 32}
	},
	"phs": func(n func(string) float64, w func(string) string) map[string]float64 {
		or := func(name string, otherwise float64) float64 {
			if v := n(name); !math.IsNaN(v) {
				return v
			}
			return otherwise
		}
		postures := map[string]Posture{"standing": Standing, "sitting": Sitting, "crouching": Crouching}
		s, ok := PredictStrain(conditions(n), Work{
			Metabolic: n("met"), Clothing: n("clo"), Posture: postures[w("posture")], Acclimatised: or("acclimatized", 100) == 100,
			Walking: or("walk_sp", 0), Angle: or("theta", 0),
		})
		out := map[string]float64{
			"t_re": s.Rectal, "t_sk": s.Skin, "t_cr": s.Core, "t_cr_eq": s.Equilibrium, "t_sk_t_cr_wg": s.Weight, "sweat_rate_watt": s.Sweat,
			"sweat_loss_g": s.Loss, "d_lim_loss_50": float64(s.UntilLossMean), "d_lim_loss_95": float64(s.UntilLoss95), "d_lim_t_re": float64(s.Until38),
		}
		for name := range out {
			if !ok {
				out[name] = math.NaN()
			}
		}
		return out
	},
}

func conditions(n func(string) float64) Conditions {
	return Conditions{Air: n("tdb"), Radiant: n("tr"), Humidity: n("rh"), Wind: n("v")}
}

// at returns the i-th of a list, or what is one for all.
func at(v any, i int) any {
	if list, many := v.([]any); many {
		return list[i]
	}
	return v
}

func length(values map[string]any) int {
	n := 1
	for _, v := range values {
		if list, many := v.([]any); many {
			n = max(n, len(list))
		}
	}
	return n
}

// check compares an index with its vectors and returns how many numbers it compared.
func check(t *testing.T, index string, set vectors) int {
	t.Helper()
	compared := 0
	for _, v := range set.Data {
		for i := range length(v.Inputs) {
			got := compute[index](func(name string) float64 {
				if f, ok := at(v.Inputs[name], i).(float64); ok {
					return f
				}
				return math.NaN()
			}, func(name string) string {
				if v.Inputs[name] == nil {
					return ""
				}
				return fmt.Sprint(at(v.Inputs[name], i))
			})
			for name := range v.Outputs {
				compared += compare(t, index, name, v.Inputs, got[name], at(v.Outputs[name], i), set.Tolerance)
			}
		}
	}
	return compared
}

func compare(t *testing.T, index, name string, inputs map[string]any, got float64, expected any, tolerance map[string]float64) int {
	t.Helper()
	want, isNumber := expected.(float64)
	switch {
	case expected == nil:
		if !math.IsNaN(got) {
			t.Errorf("%s of %v: %s is %g, want none", index, inputs, name, got)
		}
		return 1
	case !isNumber:
		return 0 // a word for a range
	}
	within, stated := tolerance[name]
	if !stated {
		within = 0.1
	}
	if !(math.Abs(got-want) <= within+1e-9) {
		t.Errorf("%s of %v: %s is %g, want %g ± %g", index, inputs, name, got, want, within)
	}
	return 1
}

func TestVectorsCarriedAlong(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var carried struct{ Sets map[string]vectors }
	if err := json.Unmarshal(data, &carried); err != nil {
		t.Fatal(err)
	}
	for index := range compute {
		if check(t, index, carried.Sets[index]) == 0 {
			t.Errorf("no vectors of %s", index)
		}
	}
}

func TestEveryVector(t *testing.T) {
	const dir = "../../../shared/data/comfort-vectors"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the vectors are not beside the project:", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "ts_*.json"))
	if err != nil || len(files) < len(compute) {
		t.Fatalf("%d files: %v", len(files), err)
	}
	compared := 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		index := filepath.Base(name)
		index = index[len("ts_") : len(index)-len(".json")]
		var set vectors
		if err := json.Unmarshal(data, &set); err != nil {
			t.Fatal(err)
		}
		if compute[index] == nil {
			t.Errorf("no arithmetic for %s", name)
			continue
		}
		compared += check(t, index, set)
	}
	t.Logf("%d numbers compared", compared)
}

// Against the regression of Stull (2011), which is good to 1 K.
func TestTheWetBulb(t *testing.T) {
	for air := 10.0; air <= 50; air += 5 {
		for h := 20.0; h <= 95; h += 15 {
			stull := air*math.Atan(0.151977*math.Sqrt(h+8.313659)) + math.Atan(air+h) - math.Atan(h-1.676331) +
				0.00391838*math.Pow(h, 1.5)*math.Atan(0.023101*h) - 4.686035
			if got := WetBulb(air, h); math.Abs(stull-got) > 1 {
				t.Errorf("wet bulb at %g °C and %g %%: %.2f, by Stull %.2f", air, h, got, stull)
			}
		}
		if got := WetBulb(air, 100); math.Abs(got-air) > 1e-6 {
			t.Errorf("wet bulb of wet air at %g °C is %g", air, got)
		}
	}
}

// More heat, more vapour or more radiation never give a lower index; and air and
// humidity alone never say "fine".
func TestBoundsOfWBGT(t *testing.T) {
	for air := 15.0; air <= 50; air += 2.5 {
		for humidity := 0.0; humidity <= 100; humidity += 10 {
			low, high := WBGTBounds(air, humidity, math.NaN())
			warmer, _ := WBGTBounds(air+0.5, humidity, math.NaN())
			damper, _ := WBGTBounds(air, humidity+1, math.NaN())
			if !math.IsInf(high, 1) || warmer <= low || humidity < 100 && damper <= low {
				t.Fatalf("%g °C, %g %%: [%g, %g], warmer %g, damper %g", air, humidity, low, high, warmer, damper)
			}
			for _, excess := range []float64{0, 3.9, 4.1, 20} {
				l, h := WBGTBounds(air, humidity, air+excess)
				if l < low || h < l || h > l+0.7*math.Max(1.2, 0.15*(air-WetBulb(air, humidity)))+1e-9 {
					t.Errorf("%g °C, %g %%, globe %g K above: [%g, %g], at least %g", air, humidity, excess, l, h, low)
				}
			}
		}
	}
}

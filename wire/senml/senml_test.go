package senml_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/wire/senml"
)

var now = time.Unix(1700000000, 0)

func resolve(src string) ([]senml.Resolved, error) {
	recs, err := senml.ParseJSON([]byte(src), lim)
	if err != nil {
		return nil, err
	}
	return senml.Resolve(recs, now)
}

func describe(rs []senml.Resolved) string {
	var b strings.Builder
	for i, r := range rs {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%d %s %v@%v", r.Number, r.N, r.V, r.T)
		if r.Has&senml.HasU != 0 {
			b.WriteString(" " + r.U)
		}
		if r.Has&senml.HasS != 0 {
			fmt.Fprintf(&b, " sum %v", r.S)
		}
	}
	return b.String()
}

func TestResolve(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"no time is now", `[{"n":"a","v":1}]`, "1 a 1@1.7e+09"},
		{"a small time is relative", `[{"n":"a","v":1,"t":-60}]`, "1 a 1@1.69999994e+09"},
		{"one below 2^28 is relative", `[{"n":"a","v":1,"t":268435455}]`, "1 a 1@1.968435455e+09"},
		{"2^28 is absolute", `[{"n":"a","v":1,"t":268435456}]`, "1 a 1@2.68435456e+08"},
		{"the sum of base and time decides", `[{"bt":268435450,"n":"a","v":1,"t":6}]`, "1 a 1@2.68435456e+08"},
		{"base values carry forward", `[{"bn":"x/","bv":10,"n":"a","v":1},{"n":"b","v":2}]`, "1 x/a 11@1.7e+09; 2 x/b 12@1.7e+09"},
		{"a base value is overridden", `[{"bv":10,"n":"a","v":1},{"bv":20,"n":"b","v":2}]`, "1 a 11@1.7e+09; 2 b 22@1.7e+09"},
		{"a base value alone gives no record", `[{"bn":"x/","bv":10,"bt":1700000000},{"n":"b","v":2}]`, "2 x/b 12@1.7e+09"},
		{"a base sum adds to every sum", `[{"bs":100,"n":"a","v":1,"s":5},{"n":"a","v":1,"t":1}]`,
			"1 a 1@1.7e+09 sum 105; 2 a 1@1.700000001e+09 sum 100"},
		{"a sum needs no value", `[{"n":"a","s":5}]`, "1 a 0@1.7e+09 sum 5"},
		{"the unit beats the base unit", `[{"bu":"V","n":"a","v":1},{"n":"b","u":"A","v":2}]`, "1 a 1@1.7e+09 V; 2 b 2@1.7e+09 A"},
		{"in order of time", `[{"n":"a","v":1,"t":-1},{"n":"b","v":2,"t":-2},{"n":"c","v":3,"t":-2}]`,
			"2 b 2@1.699999998e+09; 3 c 3@1.699999998e+09; 1 a 1@1.699999999e+09"},
		{"unknown labels are ignored", `[{"n":"a","v":1,"x":{"y":[1,null,"z"]}}]`, "1 a 1@1.7e+09"},
		{"version 26 is understood", `[{"bver":26,"n":"a","u":"ppm","v":1}]`, "1 a 1@1.7e+09 ppm"},
		{"an older version is understood", `[{"bver":5,"n":"a","v":1},{"bver":5,"n":"a","v":1}]`, "1 a 1@1.7e+09; 2 a 1@1.7e+09"},
		{"escapes", `[{"n":"\u0061\/b","v":1}]`, "1 a/b 1@1.7e+09"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := resolve(tt.src)
			if err != nil {
				t.Fatal(err)
			}
			if describe(got) != tt.want {
				t.Errorf("got %s\nwant %s", describe(got), tt.want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"nothing", ``, "array of records"},
		{"an object", `{"n":"a","v":1}`, "array of records"},
		{"no record", `[]`, "record 1"},
		{"an empty record", `[{"n":"a","v":1},{}]`, "record 2"},
		{"text after the pack", `[{"n":"a","v":1}] x`, "nothing may follow"},
		{"a label that must be understood", `[{"n":"a","v":1},{"n":"b","v":1,"secret_":1}]`, `record 2: label "secret_" must be understood`},
		{"a label twice", `[{"n":"a","v":1,"v":2}]`, "stands twice"},
		{"an unknown label twice", `[{"n":"a","v":1,"x":2,"x":2}]`, "stands twice"},
		{"a label twice inside", `[{"n":"a","v":1,"x":{"y":1,"y":2}}]`, "stands twice"},
		{"two values", `[{"n":"a","v":1,"vs":"x"}]`, "2 values"},
		{"no value", `[{"n":"a","v":1},{"n":"b","t":1}]`, "record 2: no value"},
		{"no name", `[{"v":1}]`, "no name"},
		{"a name that begins with a slash", `[{"n":"/a","v":1}]`, "begin with a letter or digit"},
		{"a name with a space", `[{"n":"a b","v":1}]`, "name"},
		{"a name in Bangla", `[{"n":"ক","v":1}]`, "name"},
		{"a newer version", `[{"bver":27,"n":"a","v":1}]`, "version 27"},
		{"a version between", `[{"bver":11,"n":"a","v":1}]`, "version 11"},
		{"half a version", `[{"bver":9.5,"n":"a","v":1}]`, "version"},
		{"two versions", `[{"bver":5,"n":"a","v":1},{"bver":10,"n":"a","v":1}]`, "bver 10 after 5"},
		{"a version after the default", `[{"n":"a","v":1},{"bver":26,"n":"a","v":1}]`, "bver 26 after 10"},
		{"a number too large", `[{"n":"a","v":1e400}]`, "64-bit float"},
		{"a sum too large", `[{"bv":1.7e308,"n":"a","v":1.7e308}]`, "64-bit float"},
		{"NaN", `[{"n":"a","v":NaN}]`, "want a number"},
		{"a leading zero", `[{"n":"a","v":01}]`, "record 1"},
		{"a bare point", `[{"n":"a","v":1.}]`, "digit"},
		{"a bare exponent", `[{"n":"a","v":1e}]`, "digit"},
		{"a plus sign", `[{"n":"a","v":+1}]`, "want a number"},
		{"a text for a number", `[{"n":"a","v":"1"}]`, `label "v"`},
		{"a number for a text", `[{"n":1,"v":1}]`, `label "n"`},
		{"null for a number", `[{"n":"a","v":null}]`, `label "v"`},
		{"base64 with padding", `[{"n":"a","vd":"aGkgCg=="}]`, "base64url"},
		{"a label in capitals is another label", `[{"n":"a","V":1}]`, "no value"},
		{"broken UTF-8", "[{\"n\":\"a\",\"vs\":\"\xff\"}]", "UTF-8"},
		{"broken UTF-8 after an escape", "[{\"n\":\"a\",\"vs\":\"\\n\xff\"}]", "UTF-8"},
		{"half a surrogate", `[{"n":"a","vs":"\ud800"}]`, "surrogate"},
		{"a control character", "[{\"n\":\"a\",\"vs\":\"\n\"}]", "control"},
		{"deep nesting", `[{"n":"a","v":1,"x":` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + `}]`, "nested deeper"},
		{"too many records", `[` + strings.Repeat(`{"n":"a","v":1},`, 1000) + `{"n":"a","v":1}]`, "record 1001: a pack holds at most 1000"},
		{"too many bytes", `[{"n":"a","vs":"` + strings.Repeat("x", 1<<16) + `"}]`, "send at most 65536"},
		{"too many labels", `[{"n":"a","v":1` + labels(70) + `}]`, "more than 64 labels"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := resolve(tt.src)
			if !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %s, %v; want an error with %q", describe(got), err, tt.want)
			}
		})
	}
}

func labels(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"x%d":0`, i)
	}
	return b.String()
}

func TestCBOR(t *testing.T) {
	for _, tt := range []struct{ name, hex, want string }{
		{"integers as labels", "81a2006161" + "0201", "1 a 1@1.7e+09"},
		{"a decimal fraction", "81a2006161" + "02c482" + "20" + "19010f", "1 a 27.1@1.7e+09"},
		{"an unknown integer label is ignored", "81a3006161" + "0201" + "18630a", "1 a 1@1.7e+09"},
		{"indefinite lengths", "9fbf006161" + "0201ffff", "1 a 1@1.7e+09"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			recs, err := senml.ParseCBOR(unhex(t, tt.hex), lim)
			if err != nil {
				t.Fatal(err)
			}
			got, err := senml.Resolve(recs, now)
			if err != nil || describe(got) != tt.want {
				t.Errorf("got %s, %v", describe(got), err)
			}
		})
	}
}

func unhex(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCBORRefused(t *testing.T) {
	for _, tt := range []struct{ name, hex, want string }{
		{"nothing", "", "array of maps"},
		{"no record", "80", "no record"},
		{"an empty record", "81a0", "record 1: the record is empty"},
		{"trailing bytes", "81a2006161020100", "extraneous"},
		{"a label twice", "81a30061610201" + "0202", "duplicate"},
		{"a known label as text", "81a2006161" + "6176" + "01", "write it as the integer 2"},
		{"a label that must be understood", "81a3006161" + "0201" + "63785f5f00", "must be understood"},
		{"not a number", "81a2006161" + "02f97e00", "not a number"},
		{"infinity", "81a2006161" + "02f97c00", "not a number"},
		{"a text for a number", "81a2006161" + "026131", `label "v"`},
		{"a decimal fraction of texts", "81a2006161" + "02c4826131" + "6131", "want integers"},
		{"a huge decimal fraction", "81a2006161" + "02c482" + "1903e8" + "01", "64-bit float"},
		{"a bool as label", "81a2006161" + "f501", "label true"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			recs, err := senml.ParseCBOR(unhex(t, tt.hex), lim)
			if !errors.Is(err, safety.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %+v, %v; want an error with %q", recs, err, tt.want)
			}
		})
	}
}

func TestEncodersRefuseWhatIsNoNumber(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		recs := []senml.Record{{Has: senml.HasN | senml.HasV, N: "a", V: v}}
		if b, err := senml.AppendJSON(nil, recs); !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("JSON of %v: %s, %v", v, b, err)
		}
		if b, err := senml.AppendCBOR(nil, recs); !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("CBOR of %v: %x, %v", v, b, err)
		}
	}
}

// FuzzParseJSON holds the scanner to encoding/json: what it takes is JSON, and
// what it writes reads back the same.
func FuzzParseJSON(f *testing.F) {
	f.Add([]byte(`[{"n":"a","v":-0.0e-5,"x":{"y":[true,null,"\u00e9\ud83d\ude00\\"]}}]`))
	f.Add([]byte(`[{"bn":"a","bt":1.7e9,"bver":26,"vd":"aGkgCg","vb":false,"s":1}]`))
	f.Fuzz(func(t *testing.T, src []byte) {
		recs, err := senml.ParseJSON(src, lim)
		if err != nil {
			if !errors.Is(err, safety.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		if !json.Valid(src) {
			t.Fatalf("took %q", src)
		}
		out, err := senml.AppendJSON(nil, recs)
		if err != nil {
			t.Fatal(err)
		}
		again, err := senml.ParseJSON(out, lim)
		if err != nil && len(out) <= lim.Bytes {
			t.Fatalf("%s: %v", out, err)
		}
		if err == nil && fmt.Sprint(again) != fmt.Sprint(recs) {
			t.Fatalf("%q\nbecame %q", src, out)
		}
	})
}

package replay_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"nirapod/rules/replay"
	"nirapod/safety"
)

func FuzzParseMap(f *testing.F) {
	f.Add([]byte(simple))
	f.Add([]byte("time: {column: t, layout: 15:04, zone: Asia/Dhaka}\nlong: {sensor: a, zone: b, quantity: c, unit: d, value: e}\n"))
	f.Add([]byte("columns: {? {a: b} : c}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := replay.ParseMap("map.yaml", data)
		if err != nil && !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("%v does not wrap ErrInvalid", err)
		}
		if (m == nil) != (err != nil) {
			t.Errorf("map %v with error %v", m, err)
		}
	})
}

// Whatever the file, each line is JSON, a mistake is one of the file, and the
// same file gives the same lines.
func FuzzRun(f *testing.F) {
	for _, s := range []string{"Time,T\n0,20\n1,60\n", "\ufeffTime;T\n0;\n", "Time T\n1\t2\n", "Time,T\n\"0,1\n", utf16le("Time,T\n0,1\n"), "Time,T\n1e14,1\n-1e14,2\n"} {
		f.Add([]byte(s), false)
	}
	f.Add([]byte("t,id,place,what,in,v\n0,a,Z,co,ppm,1\n1,a,Z,co,ppm,1\n"), true)
	ps := packs(f)
	wide, err := replay.ParseMap("map.yaml", []byte(simple))
	if err != nil {
		f.Fatal(err)
	}
	long, err := replay.ParseMap("map.yaml", []byte("time: {column: t}\nlong: {sensor: id, zone: place, quantity: what, unit: in, value: v}\n"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, isLong bool) {
		m := wide
		if isLong {
			m = long
		}
		var out, again bytes.Buffer
		src := []replay.Source{source("data.csv", string(data))}
		_, err := replay.Run(ps, m, src, &out, func(string) {})
		if err != nil && !errors.Is(err, safety.ErrInvalid) {
			t.Errorf("%v does not wrap ErrInvalid", err)
		}
		_, _ = replay.Run(ps, m, src, &again, func(string) {})
		if !bytes.Equal(out.Bytes(), again.Bytes()) {
			t.Errorf("twice the same file, and\n%s\nis not\n%s", &out, &again)
		}
		for line := range bytes.Lines(out.Bytes()) {
			if !json.Valid(line) {
				t.Errorf("no JSON: %s", line)
			}
		}
	})
}

package sim

import (
	"encoding/json"
	"log/slog"
	"testing"
)

// FuzzControl: no line on the world channel stops the simulator, and an answer
// is JSON.
func FuzzControl(f *testing.F) {
	for _, line := range []string{
		`{"op":"state"}`, `{"op":"outputs"}`, `{"op":"registers"}`, `{"op":"jump","to":60000000000}`,
		`{"op":"inject","fault":{"target":"store-smoke","kind":"loop_degraded","value":-4700}}`,
		`{"op":"set","setting":{"zone":"store","quantity":"temperature","value":1e308}}`,
		`{"op":"set","setting":{"pin":"SIM_CALL_1","level":true,"for":1}}`,
		`{"op":"repair","target":"i2c-1"}`, `{"op":"inject"}`, `[]`, ``,
	} {
		f.Add([]byte(line))
	}
	sc, err := Load("smoulder", "")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		s := NewServer(New(sc, 1), slog.New(slog.DiscardHandler))
		answer, err := s.control(line)
		if err == nil && !json.Valid(answer) {
			t.Errorf("%s answers %s", line, answer)
		}
		for _, after := range []string{`{"op":"registers"}`, `{"op":"state"}`} {
			if _, err := s.control([]byte(after)); err != nil {
				t.Errorf("after %s: %s: %v", line, after, err)
			}
		}
	})
}

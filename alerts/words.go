package alerts

import (
	"slices"

	"nirapod/safety"
	"nirapod/state"
)

// keptWords is how far back what a source said about a point is remembered.
// Packs may come newest first, so what happened earlier may be heard later.
const keptWords = 32

// heard is what the sources of one point lately said, in order of time.
type heard map[string][]state.Word

// newest returns a source's newest word by the time at which it happened; the
// zero word, unknown and not held, if there is none.
func (h heard) newest(source string) state.Word {
	words := h[source]
	if len(words) == 0 {
		return state.Word{}
	}
	return words[len(words)-1]
}

// add puts a transition where it belongs in time and reports whether it is now
// the source's newest word.
func (h heard) add(t safety.Transition) (newest bool) {
	words := h[t.Source]
	i := len(words)
	for i > 0 && (words[i-1].At.After(t.At) || words[i-1].At.Equal(t.At) && words[i-1].ID > t.ID) {
		i--
	}
	if i == 0 && len(words) == keptWords {
		return false
	}
	words = slices.Insert(words, i, state.Word{From: t.From, State: t.To, At: t.At, ID: t.ID})
	for j := i; j < len(words); j++ {
		words[j].Held = held(words[:j], words[j])
	}
	h[t.Source] = words[max(0, len(words)-keptWords):]
	return i == len(words)-1
}

// held reports whether a word holds what was firing before it. Unknown and
// pending do; only inactive lets go. Where words between this one and those
// before it are missing, the source is taken to have fired.
func held(before []state.Word, w state.Word) bool {
	if w.State != safety.Unknown && w.State != safety.Pending || w.From == safety.Inactive {
		return false
	}
	if len(before) == 0 {
		return true
	}
	last := before[len(before)-1]
	return w.From == safety.Firing || w.From != last.State || last.Held
}

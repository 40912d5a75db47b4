package app

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"nirapod/alerts/ledger"
	"nirapod/internal/tree"
	"nirapod/rules"
	"nirapod/state"
)

// noteRules enters the packs that this server watches with into the ledger of
// every factory, unless they are the newest there.
func (s *Server) noteRules(ctx context.Context) error {
	text, err := rulesText(s.packs)
	if err != nil {
		return err
	}
	ref := fmt.Sprintf("%x", sha256.Sum256(text))[:16]
	sites, err := s.db.Sites(ctx)
	if err != nil {
		return err
	}
	for _, site := range sites {
		if err := s.db.NoteNew(ctx, site.Factory.ID, tree.KindRules, ref, text); err != nil {
			return err
		}
	}
	return nil
}

// rulesText is every rule as it was written, with the version that transitions
// and alerts name.
func rulesText(packs []rules.Pack) ([]byte, error) {
	type written struct {
		Pack    string     `json:"pack"`
		Version string     `json:"version"`
		Rule    rules.Rule `json:"rule"`
	}
	all := []written{}
	for _, p := range packs {
		for _, r := range p.Rules {
			all = append(all, written{p.Name, r.Fingerprint(), r})
		}
	}
	return json.Marshal(map[string]any{"rules": all})
}

func (s *Server) head(ctx context.Context, factory string) (string, error) {
	head, _, err := s.ledger.Sign(ctx, factory)
	return head.Short(), err
}

func (s *Server) evidence(ctx context.Context, w io.Writer, by state.User, incident string, full bool, purpose string) error {
	return s.ledger.Evidence(ctx, w, s.series, ledger.Request{User: by, Incident: incident, Full: full, Purpose: purpose, At: time.Now().UTC()})
}

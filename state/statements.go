package state

import (
	"context"
	"database/sql"
	"sync"
)

// maxStatements bounds the statements that a pool keeps: lists are asked for
// with many different filters.
const maxStatements = 200

// pool is a set of connections that parses each statement once. Parsing costs
// SQLite more than most of what is asked here.
type pool struct {
	*sql.DB

	mu    sync.Mutex
	known map[string]*sql.Stmt // guarded by mu; nil = asked for within a transaction, not parsed yet
}

// QueryContext is that of sql.DB.
func (p *pool) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if p.find(text) == nil {
		p.parse(ctx)
	}
	if s := p.find(text); s != nil {
		return s.QueryContext(ctx, args...)
	}
	return p.DB.QueryContext(ctx, text, args...)
}

// find returns the parsed statement, or notes that it is wanted.
func (p *pool) find(text string) *sql.Stmt {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, asked := p.known[text]
	if !asked && len(p.known) < maxStatements {
		p.known[text] = nil
	}
	return s
}

// parse parses what was asked for. It needs a connection: within a transaction
// of a pool of one there is none. What cannot be parsed stays as it is: whoever
// runs it is told why.
func (p *pool) parse(ctx context.Context) {
	for _, text := range p.wanted() {
		// Not under mu: whoever holds the connection may ask for a statement.
		s, err := p.PrepareContext(ctx, text)
		p.mu.Lock()
		switch {
		case err != nil:
			delete(p.known, text)
		case p.known[text] != nil: // another call was first
			err = s.Close()
		default:
			p.known[text] = s
		}
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (p *pool) wanted() (texts []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for text, s := range p.known {
		if s == nil {
			texts = append(texts, text)
		}
	}
	return texts
}

// transaction runs the parsed statements of its pool.
type transaction struct {
	*sql.Tx
	of *pool
}

// QueryContext is that of sql.Tx.
func (t transaction) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if s := t.of.find(text); s != nil {
		return t.StmtContext(ctx, s).QueryContext(ctx, args...)
	}
	return t.Tx.QueryContext(ctx, text, args...)
}

// ExecContext is that of sql.Tx.
func (t transaction) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if s := t.of.find(text); s != nil {
		return t.StmtContext(ctx, s).ExecContext(ctx, args...)
	}
	return t.Tx.ExecContext(ctx, text, args...)
}

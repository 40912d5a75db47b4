package influxstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/influxdata/influxdb-client-go/v2/domain"
)

// grant sees to it that the token file holds a token that may write and read
// the readings, read the minutes, and nothing else. One that is lost or wider
// is replaced, and the one before it locked out.
func (s *provision) grant(ctx context.Context) error {
	what := "token for bucket " + s.Readings.Name
	answer, err := s.client.APIClient().GetAuthorizations(ctx, &domain.GetAuthorizationsParams{OrgID: &s.org})
	if err != nil {
		return s.explain(what, err)
	}
	var ours []domain.Authorization
	if answer.Authorizations != nil {
		ours = slices.DeleteFunc(*answer.Authorizations, func(a domain.Authorization) bool { return deref(a.Description) != s.label() })
	}
	if len(ours) == 1 {
		if good, err := s.stillGood(ctx, ours[0]); good || err != nil {
			return err
		}
	}
	if err := s.newToken(ctx, what); err != nil {
		return err
	}
	s.did("%s: made, in %s", what, s.TokenFile)
	for _, old := range ours {
		if err := s.client.AuthorizationsAPI().DeleteAuthorizationWithID(ctx, deref(old.Id)); err != nil {
			return s.explain(what, err)
		}
		s.did("%s: the one before no longer opens anything: restart whatever uses it", what)
	}
	return nil
}

// label is how a later run knows the token.
func (s *provision) label() string { return "nirapod: series in " + s.Readings.Name }

func (s *provision) permissions() []domain.Permission {
	one := func(action domain.PermissionAction, bucket string) domain.Permission {
		return domain.Permission{Action: action, Resource: domain.Resource{Type: domain.ResourceTypeBuckets, Id: &bucket, OrgID: &s.org}}
	}
	return []domain.Permission{
		one(domain.PermissionActionRead, s.readings), one(domain.PermissionActionWrite, s.readings), one(domain.PermissionActionRead, s.minutes),
	}
}

// stillGood reports whether a is right and the file holds its token.
func (s *provision) stillGood(ctx context.Context, a domain.Authorization) (bool, error) {
	text, err := os.ReadFile(s.TokenFile)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	token := strings.TrimSpace(string(text))
	if token == "" || a.Status == nil || *a.Status != domain.AuthorizationUpdateRequestStatusActive || !s.allows(a) {
		return false, nil
	}
	// From 2.9 on InfluxDB keeps only a hash and shows no token, so it is
	// asked whether the token opens the bucket.
	if shown := deref(a.Token); shown == token {
		return true, nil
	} else if shown != "" && shown != "redacted" {
		return false, nil
	}
	holder := s.as(token)
	defer holder.Close()
	answer, err := holder.APIClient().GetBuckets(ctx, &domain.GetBucketsParams{Name: &s.Readings.Name, OrgID: &s.org})
	if err != nil {
		if strings.HasPrefix(err.Error(), "unauthorized") || isMissing(err) {
			return false, nil
		}
		return false, s.explain("token in "+s.TokenFile, err)
	}
	return answer.Buckets != nil && len(*answer.Buckets) == 1, nil
}

// allows reports whether a allows what it has to and nothing more.
func (s *provision) allows(a domain.Authorization) bool {
	names := func(list []domain.Permission) (names []string) {
		for _, p := range list {
			names = append(names, fmt.Sprint(p.Action, " ", p.Resource.Type, " ", deref(p.Resource.Id)))
		}
		slices.Sort(names)
		return names
	}
	return a.Permissions != nil && slices.Equal(names(*a.Permissions), names(s.permissions()))
}

// newToken makes a token and puts it in the file, whole or not at all. The file
// is tried first: a token that cannot be kept is not made.
func (s *provision) newToken(ctx context.Context, what string) error {
	aside, err := os.CreateTemp(filepath.Dir(s.TokenFile), ".token-*") // mode 0600
	if err != nil {
		return fmt.Errorf("%s: no place for it: %w", what, err)
	}
	defer os.Remove(aside.Name())
	label, active, permissions := s.label(), domain.AuthorizationUpdateRequestStatusActive, s.permissions()
	made, err := s.client.AuthorizationsAPI().CreateAuthorization(ctx, &domain.Authorization{
		AuthorizationUpdateRequest: domain.AuthorizationUpdateRequest{Description: &label, Status: &active},
		OrgID:                      &s.org, Permissions: &permissions,
	})
	if err != nil {
		return errors.Join(s.explain(what, err), aside.Close())
	}
	_, err = aside.WriteString(deref(made.Token) + "\n")
	if err := errors.Join(err, aside.Sync(), aside.Close()); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return os.Rename(aside.Name(), s.TokenFile)
}

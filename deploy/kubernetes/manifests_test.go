// Package kubernetes holds no code: its test decodes the manifests into Kubernetes'
// own types. It is a module of its own, since nothing else needs those.
package kubernetes

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"
)

// types are those of the kinds that the manifests may hold.
var types = map[metav1.TypeMeta]func() any{
	{APIVersion: "v1", Kind: "Namespace"}:                                  func() any { return new(corev1.Namespace) },
	{APIVersion: "v1", Kind: "Service"}:                                    func() any { return new(corev1.Service) },
	{APIVersion: "apps/v1", Kind: "StatefulSet"}:                           func() any { return new(appsv1.StatefulSet) },
	{APIVersion: "batch/v1", Kind: "Job"}:                                  func() any { return new(batchv1.Job) },
	{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"}:            func() any { return new(networkingv1.NetworkPolicy) },
	{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"}:                 func() any { return new(policyv1.PodDisruptionBudget) },
	{APIVersion: "kustomize.config.k8s.io/v1beta1", Kind: "Kustomization"}: nil, // kustomize's own
}

// manifests decodes every document: a member that the type does not have, or
// one that is there twice, is an error.
func manifests(t *testing.T) []any {
	t.Helper()
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var all []any
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		docs := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(text)))
		for {
			doc := make([]byte, len(text))
			n, err := docs.Read(doc)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var kind metav1.TypeMeta
			if err := strict.Unmarshal(doc[:n], &kind); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			newOf, known := types[kind]
			if !known {
				t.Errorf("%s: %v is no kind that is known here", name, kind)
			}
			if newOf == nil {
				continue
			}
			v := newOf()
			if err := strict.UnmarshalStrict(doc[:n], v); err != nil {
				t.Errorf("%s: %s: %v", name, kind.Kind, err)
			}
			all = append(all, v)
		}
	}
	return all
}

// TestManifests holds what the API server would refuse, or accept and never
// use: selectors that select nothing, ports and volumes that nobody has.
func TestManifests(t *testing.T) {
	pods, jobs := map[string]*corev1.PodTemplateSpec{}, map[string]*corev1.PodTemplateSpec{}
	all := manifests(t)
	for _, m := range all {
		switch m := m.(type) {
		case *appsv1.StatefulSet:
			pods[m.Name] = &m.Spec.Template
			selects(t, "StatefulSet "+m.Name, m.Spec.Selector, &m.Spec.Template)
			checkPod(t, m.Name, &m.Spec.Template.Spec, m.Spec.VolumeClaimTemplates)
		case *batchv1.Job:
			jobs[m.GenerateName] = &m.Spec.Template
			checkPod(t, m.GenerateName, &m.Spec.Template.Spec, nil)
			if m.Spec.Template.Spec.RestartPolicy != corev1.RestartPolicyNever || m.Spec.CompletionMode == nil || *m.Spec.CompletionMode != batchv1.IndexedCompletion {
				t.Errorf("Job %s: shards need an indexed Job, whose pods are not started again", m.GenerateName)
			}
		}
	}
	budgets, reached := map[string]bool{}, map[string]bool{}
	for _, m := range all {
		switch m := m.(type) {
		case *corev1.Service:
			one := some(t, "Service "+m.Name, &metav1.LabelSelector{MatchLabels: m.Spec.Selector}, pods)
			for _, p := range m.Spec.Ports {
				if one != "" && p.TargetPort.StrVal != "" && !hasPort(&pods[one].Spec, p.TargetPort.StrVal) {
					t.Errorf("Service %s: no container has a port %s", m.Name, p.TargetPort.StrVal)
				}
			}
		case *policyv1.PodDisruptionBudget:
			budgets[some(t, "PodDisruptionBudget "+m.Name, m.Spec.Selector, pods)] = true
		case *networkingv1.NetworkPolicy:
			if len(m.Spec.PodSelector.MatchLabels) > 0 {
				everything := maps.Clone(pods)
				maps.Copy(everything, jobs)
				reached[some(t, "NetworkPolicy "+m.Name, &m.Spec.PodSelector, everything)] = true
			}
		}
	}
	for name := range jobs {
		if !reached[name] {
			t.Errorf("no NetworkPolicy lets the pods of %s out", name)
		}
	}
	for name := range pods {
		if !reached[name] {
			t.Errorf("no NetworkPolicy lets the pods of %s speak", name)
		}
		if !budgets[name] {
			t.Errorf("%s has no PodDisruptionBudget", name)
		}
	}
	if len(pods) < 2 {
		t.Fatalf("%d workloads", len(pods))
	}
}

func matches(s *metav1.LabelSelector, pod *corev1.PodTemplateSpec) bool {
	selector, err := metav1.LabelSelectorAsSelector(s)
	return err == nil && selector.Matches(labels.Set(pod.Labels))
}

func selects(t *testing.T, what string, s *metav1.LabelSelector, pod *corev1.PodTemplateSpec) {
	t.Helper()
	if !matches(s, pod) {
		t.Errorf("%s does not select its own pods", what)
	}
}

// some returns the name of a workload whose pods are selected.
func some(t *testing.T, what string, s *metav1.LabelSelector, pods map[string]*corev1.PodTemplateSpec) string {
	t.Helper()
	for name, pod := range pods {
		if matches(s, pod) {
			return name
		}
	}
	t.Errorf("%s selects no pods", what)
	return ""
}

func hasPort(pod *corev1.PodSpec, name string) bool {
	for _, c := range pod.Containers {
		for _, p := range c.Ports {
			if p.Name == name {
				return true
			}
		}
	}
	return false
}

// checkPod holds that mounts have their volumes, volumes their mounts, and
// probes their ports.
func checkPod(t *testing.T, name string, pod *corev1.PodSpec, claims []corev1.PersistentVolumeClaim) {
	t.Helper()
	volumes, used := map[string]bool{}, map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
	}
	for _, c := range claims {
		volumes[c.Name] = true
		if _, ok := c.Spec.Resources.Requests[corev1.ResourceStorage]; !ok {
			t.Errorf("%s: the claim %s asks for no storage", name, c.Name)
		}
	}
	for _, c := range append(append([]corev1.Container{}, pod.InitContainers...), pod.Containers...) {
		for _, m := range c.VolumeMounts {
			used[m.Name] = true
			if !volumes[m.Name] {
				t.Errorf("%s: the volume %s is mounted and not there", name, m.Name)
			}
		}
		for _, p := range []*corev1.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
			if p != nil && p.HTTPGet != nil && p.HTTPGet.Port.StrVal != "" && !hasPort(pod, p.HTTPGet.Port.StrVal) {
				t.Errorf("%s: a probe asks the port %s, which no container has", name, p.HTTPGet.Port.StrVal)
			}
		}
		limit, request := c.Resources.Limits.Memory(), c.Resources.Requests.Memory()
		if limit.IsZero() || request.IsZero() || request.Cmp(*limit) > 0 {
			t.Errorf("%s: the memory of %s is not bounded, or asks for more than it may use", name, c.Name)
		}
	}
	for v := range volumes {
		if !used[v] {
			t.Errorf("%s: nobody mounts the volume %s", name, v)
		}
	}
}

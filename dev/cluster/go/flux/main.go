// Command flux does with objects on standard input what Flux's kustomize-controller does, with
// Flux's own packages: tests ask it what Flux, and kstatus, would say and do.
//
//	flux health EXPRESSIONS             the health of each object: kstatus', and by the expressions
//	flux apply [--force] [EXPRESSIONS]  apply them; with expressions, wait until they are healthy
//
// EXPRESSIONS is a file with spec.healthCheckExprs, such as those in deploy/flux.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/cli-utils/pkg/kstatus/polling/clusterreader"
	"github.com/fluxcd/cli-utils/pkg/kstatus/polling/engine"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/utils"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/yaml"
)

const patience = 60 * time.Second

type health struct {
	Kind        string `json:"kind"`
	Name        string `json:"name"`
	Kstatus     string `json:"kstatus"`
	Message     string `json:"message"`
	Expressions string `json:"expressions"`
}

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	objects, err := utils.ReadObjects(os.Stdin)
	if err != nil {
		return err
	}
	switch {
	case len(arguments) == 2 && arguments[0] == "health":
		return tellHealth(ctx, objects, arguments[1])
	case len(arguments) > 0 && arguments[0] == "apply":
		rest := arguments[1:]
		force := len(rest) > 0 && rest[0] == "--force"
		if force {
			rest = rest[1:]
		}
		expressions := ""
		if len(rest) > 0 {
			expressions = rest[0]
		}
		return apply(ctx, objects, force, expressions)
	}
	return fmt.Errorf("usage: flux health EXPRESSIONS | flux apply [--force] [EXPRESSIONS]")
}

func read(file string) ([]kustomize.CustomHealthCheck, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var document struct {
		Spec struct {
			HealthCheckExprs []kustomize.CustomHealthCheck `json:"healthCheckExprs"`
		} `json:"spec"`
	}
	err = yaml.Unmarshal(text, &document)
	return document.Spec.HealthCheckExprs, err
}

func tellHealth(ctx context.Context, objects []*unstructured.Unstructured, file string) error {
	checks, err := read(file)
	if err != nil {
		return err
	}
	evaluators := map[schema.GroupKind]*cel.StatusEvaluator{}
	for _, check := range checks {
		kind := schema.FromAPIVersionAndKind(check.APIVersion, check.Kind).GroupKind()
		if evaluators[kind], err = cel.NewStatusEvaluator(&check.HealthCheckExpressions); err != nil {
			return err
		}
	}
	all := []health{}
	for _, object := range objects {
		computed, err := status.Compute(object)
		if err != nil {
			return err
		}
		one := health{
			Kind: object.GetKind(), Name: object.GetName(),
			Kstatus: computed.Status.String(), Message: computed.Message,
		}
		if evaluator := evaluators[object.GroupVersionKind().GroupKind()]; evaluator != nil {
			evaluated, err := evaluator.Evaluate(ctx, object)
			if err != nil {
				return err
			}
			one.Expressions = evaluated.Status.String()
		}
		all = append(all, one)
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}

func apply(
	ctx context.Context, objects []*unstructured.Unstructured, force bool, file string,
) error {
	manager, err := resourceManager(file)
	if err != nil {
		return err
	}
	options := ssa.DefaultApplyOptions()
	options.Force = force
	options.ForceSelector = map[string]string{"kustomize.toolkit.fluxcd.io/force": "enabled"}
	// What people changed with kubectl is Flux's from then on, and is put back.
	options.Cleanup.FieldManagers = []ssa.FieldManager{
		{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationApply},
		{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationUpdate},
		{Name: "before-first-apply", OperationType: metav1.ManagedFieldsOperationUpdate},
	}
	changes, err := manager.ApplyAllStaged(ctx, objects, options)
	if err != nil {
		return err
	}
	fmt.Println(changes.String())
	if file == "" {
		return nil
	}
	wait := ssa.WaitOptions{Interval: 200 * time.Millisecond, Timeout: patience, FailFast: true}
	return manager.WaitForSetWithContext(ctx, changes.ToObjMetadataSet(), wait)
}

func resourceManager(file string) (*ssa.ResourceManager, error) {
	settings, err := config.GetConfig()
	if err != nil {
		return nil, err
	}
	web, err := client.New(settings, client.Options{})
	if err != nil {
		return nil, err
	}
	transport, err := rest.HTTPClientFor(settings)
	if err != nil {
		return nil, err
	}
	mapper, err := apiutil.NewDynamicRESTMapper(settings, transport)
	if err != nil {
		return nil, err
	}
	polls := polling.Options{
		ClusterReaderFactory: engine.ClusterReaderFactoryFunc(clusterreader.NewDirectClusterReader),
	}
	if file != "" {
		checks, err := read(file)
		if err != nil {
			return nil, err
		}
		reader, err := cel.NewStatusReader(checks)
		if err != nil {
			return nil, err
		}
		polls.CustomStatusReaders = []engine.StatusReader{reader(mapper)}
	}
	owner := ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"}
	return ssa.NewResourceManager(web, polling.NewStatusPoller(web, mapper, polls), owner), nil
}

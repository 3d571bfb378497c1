"""scikit-learn's own checks of our estimators; none is exempted."""

from helpers.estimators import VAETransformer
from sklearn.utils.estimator_checks import parametrize_with_checks


@parametrize_with_checks([VAETransformer(hidden=(8,), latent_dim=2, epochs=1, random_state=0)])
def test_estimator_keeps_to_the_rules_of_scikit_learn(estimator, check):
    check(estimator)

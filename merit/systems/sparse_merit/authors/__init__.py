"""The authors' release of Sparse MERIT: github.com/RogerTzeng/Sparse-MERIT, huggingface.co/RogerTzeng/Sparse-MERIT.

Their ``train.py`` leaves ``final_{ssl,mmoe,pool,ser,se}.pt``, each ``{"model": state dict, "optimizer": ...}``, and
``train_norm_stat.pkl``, mean and standard deviation of the noisy training samples.
"""

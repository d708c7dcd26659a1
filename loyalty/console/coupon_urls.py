"""The addresses of the coupons' pages, below `/coupons/`."""

from django.urls import path

from loyalty.console import coupons

app_name = "coupons"

urlpatterns = [
    path("batches/", coupons.batches, name="batches"),
    path("batches/make/", coupons.make, name="make"),
    path("batches/take-in/", coupons.take_in, name="take-in"),
    path("batches/<int:batch_id>/", coupons.batch, name="batch"),
    path("batches/<int:batch_id>/progress/", coupons.progress, name="progress"),
    path("batches/<int:batch_id>/withdraw/", coupons.withdraw_batch, name="withdraw-batch"),
    path("batches/<int:batch_id>/codes.csv", coupons.codes, name="codes"),
    path("batches/<int:batch_id>/rejected.csv", coupons.rejected, name="rejected"),
    path("<int:coupon_id>/", coupons.coupon, name="coupon"),
    path("<int:coupon_id>/withdraw/", coupons.withdraw, name="withdraw"),
]
